"""TLS to services, in a running gateway: real sockets, another implementation's server (Python's
ssl), both engines."""

import concurrent.futures
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest

from harness import PATIENCE, GatewayTest, ask, banyan, eventually
from origin import LARGE, Origin


class Authority:
    """Certificates made for the test, in a folder of their own."""

    def __init__(self, test):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="banyan-tls-"))
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.openssl("req", "-x509", *self.key("ca"), "-days", "2", "-subj", "/CN=authority", "-out", "ca.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=True,
                       timeout=PATIENCE)

    @staticmethod
    def key(name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")

    def issue(self, name, names):
        (self.folder / "names").write_text(f"subjectAltName={names}\n")
        self.openssl("req", *self.key(name), "-subj", f"/CN={name}", "-out", "request")
        self.openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", f"{name}.pem")

    def path(self, name):
        return str(self.folder / name)

    def server(self, name, version=None, clients=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path("ca.pem"))
        return context


class UpstreamTlsTest(GatewayTest):
    def setUp(self):
        self.authority = Authority(self)
        self.authority.issue("shop", "IP:127.0.0.1,DNS:shop.example")
        self.authority.issue("me", "DNS:me.example")

    def start(self, origin, words="", *options):
        return self.gateway(f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ public: 127.0.0.1:0 }}
services:
  shop:
    endpoints: [{origin.url}]
    timeout: {{ connect: 5s }}
    tls: {{ ca: {self.authority.path("ca.pem")}{words} }}
routes: [ {{ to: shop }} ]
""", "--workers", "2", *options).start()

    def test_calls_of_all_sizes_in_both_versions_and_engines(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for engine in ("epoll", "auto"):
                with self.subTest(version=version, engine=engine):
                    origin = Origin(self, "a", self.authority.server("shop", version))
                    address = self.start(origin, "", "--engine", engine).address()
                    with concurrent.futures.ThreadPoolExecutor(8) as pool:
                        answers = list(pool.map(lambda i: ask(address, "/large" if i % 4 == 0 else "/x"),
                                                range(64)))
                    for i, (status, _, body) in enumerate(answers):
                        self.assertEqual((status, body), (200, LARGE if i % 4 == 0 else b"a"))
                    sent = ask(address, "/in", "POST", b"x" * 1_000_000)
                    self.assertEqual(sent[2], b"1000000")
                    self.assertLess(origin.connections, 32, "connections are used again")

    def test_mutual_tls(self):
        origin = Origin(self, "a", self.authority.server("shop", clients=True))
        with_one = self.start(origin, f", client_cert: {self.authority.path('me.pem')}, "
                                      f"client_key: {self.authority.path('me.key')}")
        self.assertEqual(ask(with_one.address(), "/x")[2], b"a")
        status, _, body = ask(self.start(origin).address(), "/x")
        self.assertEqual(status, 502)
        self.assertIn(b"certificate", body)

    def test_who_is_not_the_service_gets_nothing(self):
        self.authority.issue("other", "DNS:other.example")
        origin = Origin(self, "a", self.authority.server("other"))
        gateway = self.start(origin)
        status, _, body = ask(gateway.address(), "/x")
        self.assertEqual((status, b"certificate is for another name" in body), (502, True), body)
        self.assertEqual(origin.requests, {})
        named = self.start(origin, ", server_name: other.example")
        self.assertEqual(ask(named.address(), "/x")[2], b"a")

    def test_a_renewed_certificate_is_taken_by_a_reload(self):
        self.authority.issue("me", "DNS:me.example")
        origin = Origin(self, "a", self.authority.server("shop", clients=True))
        gateway = self.start(origin, f", client_cert: {self.authority.path('me.pem')}, "
                                     f"client_key: {self.authority.path('me.key')}")
        self.assertEqual(ask(gateway.address(), "/x")[0], 200)
        self.authority.issue("me", "DNS:me.example")
        gateway.reload()
        self.assertEqual(ask(gateway.address(), "/x")[0], 200)

    def test_check_tells_what_is_wrong(self):
        bad = pathlib.Path(self.authority.path("bad.yaml"))
        bad.write_text(f"""\
version: 1
listeners: {{ public: 127.0.0.1:0 }}
services:
  shop: {{ endpoints: [https://a], tls: {{ ca: {self.authority.path("me.key")} }} }}
routes: [ {{ to: shop }} ]
""")
        done = banyan("check", "-c", str(bad))
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.yaml:4:", done.stdout + done.stderr)
        self.assertIn("holds none in PEM form", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
