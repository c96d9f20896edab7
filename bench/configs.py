"""The three configurations, tuned as an operator who cares would tune them.

For the clients' side in TLS they all have the same certificate, TLS 1.3, and HTTP/1.1 inside.

They do the same work: keep-alive on both sides, the same four added request headers, no access
log (but for the `nginx+log` row), one worker, buffering as each comes by default.
"""

import subprocess

CONNECTIONS_MAX = 12000  # each of them; idle-10000 needs that many clients


def certificate(folder):
    """Of the bench, for one run: the certificate's file and its key's; both together in a third."""
    cert, key = f"{folder}/bench.pem", f"{folder}/bench.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=DNS:bench,IP:127.0.0.1", "-keyout", key, "-out",
                    cert], check=True, capture_output=True, timeout=60)
    with open(f"{folder}/both.pem", "w", encoding="ascii") as both:
        for name in (cert, key):
            with open(name, encoding="ascii") as part:
                both.write(part.read())
    return cert, key


def nginx(folder, port, admin_port, origin_port, routes, access_log=False, protocol="http"):
    del admin_port
    words, tls = {"http": ("", ""), "h2c": (" http2", "")}.get(protocol, (" ssl", ""))
    if protocol == "tls":
        cert, key = certificate(folder)
        tls = f"""
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    ssl_session_cache off;"""
    log = f"access_log {folder}/access.log combined" if access_log else "access_log off"
    paths = [f"/r{i}/" for i in range(routes)] if routes else ["/"]
    locations = "\n".join(f"    location {p} {{ proxy_pass http://origin; }}" for p in paths)
    return f"""\
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections {CONNECTIONS_MAX * 3 // 2}; }}
http {{
  {log};
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream origin {{
    server 127.0.0.1:{origin_port};
    keepalive 1024;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
  }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header Via "1.1 nginx";
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096{words};{tls}
{locations}
  }}
}}
"""


def haproxy(folder, port, admin_port, origin_port, routes, protocol="http"):
    del admin_port
    words = {"http": "", "h2c": " proto h2"}.get(protocol, "")
    if protocol == "tls":
        certificate(folder)
        words = f" ssl crt {folder}/both.pem ssl-min-ver TLSv1.3 alpn http/1.1"
    use = "default_backend origin"
    if routes:  # one map, as its manual advises: ten thousand ACLs would be a straw man
        with open(f"{folder}/routes.map", "w", encoding="ascii") as out:
            out.writelines(f"/r{i}/ origin\n" for i in range(routes))
        use = f"use_backend %[path,map_beg({folder}/routes.map)]"
    return f"""\
global
  nbthread 1
  maxconn {CONNECTIONS_MAX}
  no strict-limits
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
frontend public
  bind 127.0.0.1:{port} backlog 4096{words}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Via "1.1 haproxy"
  {use}
backend origin
  server origin 127.0.0.1:{origin_port} pool-purge-delay 600s
"""


def banyan(folder, port, admin_port, origin_port, routes, protocol="http"):
    tls = ""
    if protocol == "tls":
        cert, key = certificate(folder)
        tls = f", tls: {{ certificates: {{ cert: {cert}, key: {key} }} }}"
    paths = [f"/r{i}" for i in range(routes)] if routes else [""]
    lines = "\n".join(f'  - {{ match: {{ path: "{p}/{{rest...}}" }}, to: origin }}' for p in paths)
    return f"""\
version: 1
admin: {{ address: 127.0.0.1:{admin_port} }}
listeners: {{ public: {{ address: 127.0.0.1:{port}{tls} }} }}
services: {{ origin: {{ endpoints: [http://127.0.0.1:{origin_port}] }} }}
routes:
{lines}
"""
