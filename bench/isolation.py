#!/usr/bin/env python3
"""Whether a failure stays in its compartment: one service hangs and one tenant floods; how do the
others fare, compared with a quiet run? Banyan with and without bulkheads, nginx and haproxy, each
with 4 workers. See README.md."""

import argparse
import os
import pathlib
import re
import signal
import statistics
import sys
import tempfile
import time

import report
import run
from load import LoadFailed
from process import LOAD_CORE, PROXY_CORE, Process
from proxies import ROOT, NotReady, ask, compiled, free_port

BEGIN, END = ("<!-- isolation:begin (written by bench/isolation.py --docs) -->",
              "<!-- isolation:end -->")
READY_MAX_SECONDS = 10.0
WORKERS = 4
PLACES = 8     # what the shared service works on at a time (isolation/service.cc)
TENANT = 6     # of these, what one tenant may fill
HANGING = 16   # calls that may wait for the service that hangs
FIGURES = re.compile(r"(\w+) sent (\d+) ok (\d+) p50_us (\d+) p99_us (\d+)\n")
# Who is measured in both runs, and who makes the trouble. Rates a second; the shared service can do
# 400 a second.
MEASURED = ("steady:good:/good/x:a:200", "steady:tenant:/shared/x:a:50")
TROUBLE = ("flood:hanging:/hang/x:a:100:100", "flood:flood:/shared/x:flood:100:20")
LIMIT = 1.1  # what the p99 of the trouble may be of that of the quiet run


def banyan_config(port, services, bulkheads=True):
    good, shared, hang = services
    limits = {"shared": f", bulkhead: {{ concurrency: {PLACES}, queue: 200, wait: 1s, "
                        f"share_by: 'header:x-tenant', lend: {100 * TENANT // PLACES}% }}",
              "hang": f", bulkhead: {HANGING}"} if bulkheads else {"shared": "", "hang": ""}
    return f"""\
version: 1
listeners: {{ public: "127.0.0.1:{port}" }}
services:
  good: {{ endpoints: [http://127.0.0.1:{good}] }}
  shared: {{ endpoints: [http://127.0.0.1:{shared}]{limits["shared"]} }}
  hang: {{ endpoints: [http://127.0.0.1:{hang}], timeout: {{ request: 1s }}{limits["hang"]} }}
routes:
  - {{ match: {{ path: "/good/{{rest...}}" }}, to: good }}
  - {{ match: {{ path: "/shared/{{rest...}}" }}, to: shared }}
  - {{ match: {{ path: "/hang/{{rest...}}" }}, to: hang }}
"""


def nginx_config(folder, port, services):
    good, shared, hang = services
    upstreams = "".join(f"""
  upstream {name} {{ server 127.0.0.1:{at}; keepalive 64; }}""" for name, at in
                        (("good", good), ("shared", shared), ("hang", hang)))
    return f"""\
daemon off;
pid {folder}/nginx.pid;
error_log /dev/null;
worker_processes {WORKERS};
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  limit_conn_zone $http_x_tenant zone=tenants:1m;
  limit_conn_zone $server_port zone=whole:1m;{upstreams}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {{
    listen 127.0.0.1:{port} reuseport;
    location /good/ {{ proxy_pass http://good; }}
    location /shared/ {{ limit_conn tenants {TENANT}; proxy_pass http://shared; }}
    location /hang/ {{ limit_conn whole {HANGING}; proxy_read_timeout 1s; proxy_pass http://hang; }}
  }}
}}
"""


def haproxy_config(port, services):
    good, shared, hang = services
    return f"""\
global
  nbthread {WORKERS}
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout queue 1s
backend tenants
  stick-table type string len 32 size 10k expire 60s store conn_cur
frontend public
  bind 127.0.0.1:{port}
  acl shared path_beg /shared/
  http-request track-sc0 req.hdr(x-tenant) table tenants if shared
  http-request deny deny_status 503 if shared {{ sc_conn_cur(0) gt {TENANT} }}
  use_backend shared if shared
  use_backend hang if {{ path_beg /hang/ }}
  default_backend good
backend good
  server good 127.0.0.1:{good}
backend shared
  server shared 127.0.0.1:{shared} maxconn {PLACES}
backend hang
  timeout server 1s
  timeout queue 100ms
  server hang 127.0.0.1:{hang} maxconn {HANGING}
"""


class Gateway:
    """One gateway before the three services; it answers when the constructor returns."""

    def __init__(self, way, folder, services, banyan):
        self.port = free_port()
        path = pathlib.Path(folder, f"{way.replace(' ', '-')}.conf")
        config, argv = {
            "banyan": (lambda: banyan_config(self.port, services), self.banyan_command(banyan)),
            "banyan without": (lambda: banyan_config(self.port, services, bulkheads=False),
                               self.banyan_command(banyan)),
            "nginx": (lambda: nginx_config(folder, self.port, services),
                      ["nginx", "-e", "stderr", "-c"]),
            "haproxy": (lambda: haproxy_config(self.port, services), ["haproxy", "-db", "-f"]),
        }[way]
        path.write_text(config())
        self.process = Process([*argv, str(path)], PROXY_CORE)
        deadline = time.monotonic() + READY_MAX_SECONDS
        while ask(self.port, "/good/x") != 200:
            if time.monotonic() > deadline or not self.process.running():
                self.process.stop()
                raise NotReady(way)
            time.sleep(0.01)

    @staticmethod
    def banyan_command(banyan):
        return [banyan, "run", "--workers", str(WORKERS), "-c"]


WAYS = ("banyan", "banyan without", "nginx", "haproxy")


def parse(output):
    """{group: {"sent", "ok", "p50_us", "p99_us"}}"""
    out = {}
    for name, sent, ok, p50, p99 in FIGURES.findall(output):
        out[name] = {"sent": int(sent), "ok": int(ok), "p50_us": int(p50), "p99_us": int(p99)}
    return out


def call(port, seconds, groups):
    argv = [str(compiled("isolation/caller.cc")), str(seconds), str(port), *groups]
    with Process(argv, LOAD_CORE, log=-1) as process:
        output = process.child.communicate(timeout=seconds + 30)[0].decode()
    found = parse(output)
    if len(found) != len(groups):
        raise LoadFailed(output.strip() or "the caller said nothing")
    return found


def compare(quiet, trouble):
    """Of each measured group: its share of good answers in the trouble, and its p99 to the quiet."""
    out = {}
    for name in ("good", "tenant"):
        out[name] = {"p99_quiet_ms": quiet[name]["p99_us"] / 1e3,
                     "p99_ms": trouble[name]["p99_us"] / 1e3,
                     "ratio": trouble[name]["p99_us"] / quiet[name]["p99_us"],
                     "ok": trouble[name]["ok"] / trouble[name]["sent"]}
    out["flood"] = {"rate": trouble["flood"]["ok"], "ok": trouble["flood"]["ok"] / trouble["flood"]["sent"]}
    return out


def measure(banyan, seconds, rounds, ways=WAYS):
    """{way: [comparison of each round]}; the ways take turns, so that a slow minute slows all."""
    results = {}
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="isolation-", dir=memory) as folder:
        services = [free_port() for _ in range(3)]
        argv = [str(compiled("isolation/service.cc")), *map(str, services)]
        with Process(argv, LOAD_CORE):
            gateways = {}
            try:
                for way in ways:
                    gateways[way] = Gateway(way, folder, services, banyan)
                for _ in range(rounds):
                    for way, gateway in gateways.items():
                        quiet = call(gateway.port, seconds, MEASURED)
                        trouble = call(gateway.port, seconds, MEASURED + TROUBLE)
                        results.setdefault(way, []).append(compare(quiet, trouble))
            finally:
                for gateway in gateways.values():
                    gateway.process.stop()
    return results


def median(rounds, group, figure):
    return statistics.median(one[group][figure] for one in rounds)


def row(way, rounds, seconds):
    cells = [way]
    for group in ("good", "tenant"):
        ratios = [one[group]["ratio"] for one in rounds]
        cells += [f"{median(rounds, group, 'p99_quiet_ms'):.1f}",
                  f"{median(rounds, group, 'p99_ms'):.1f}",
                  f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
                  f"{100 * median(rounds, group, 'ok'):.1f} %"]
    return [*cells, f"{median(rounds, 'flood', 'rate') / seconds:.0f}"]


HEAD = ("way", "other service: p99 quiet, ms", "in trouble, ms", "ratio", "answered",
        "other tenant: p99 quiet, ms", "in trouble, ms", "ratio", "answered",
        "the flood gets, a second")


def markdown(results, banyan, seconds, rounds):
    machine = ", ".join(f"{k} {v}" for k, v in run.machine(banyan).items())
    return (f"Machine: {machine}. Commit {run.commit()}, medians of {rounds} rounds of {seconds} s "
            "quiet and as long in trouble.\n\n" +
            report.table(HEAD, [row(way, found, seconds) for way, found in results.items()]))


def verdict(results):
    """What Banyan misses of its must; empty: nothing."""
    missed = []
    for group in ("good", "tenant"):
        ratio = statistics.median(one[group]["ratio"] for one in results["banyan"])
        if ratio > LIMIT:
            missed.append(f"{group}: p99 {ratio:.2f} of the quiet run, must be {LIMIT}")
        ok = median(results["banyan"], group, "ok")
        if ok < 1 / LIMIT:
            missed.append(f"{group}: {100 * ok:.1f} % answered")
    return missed


def main(argv):
    p = argparse.ArgumentParser(prog="bench/isolation.py", description=__doc__)
    p.add_argument("--seconds", type=int, default=5, choices=range(1, 31), metavar="1-30")
    p.add_argument("--repeat", type=int, default=5, choices=range(1, 31), metavar="1-30")
    p.add_argument("--docs", action="store_true", help="rewrite the table in performance.md")
    p.add_argument("--banyan", type=pathlib.Path, default=ROOT / "build/banyan")
    options = p.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, run.stop)
    signal.alarm(120 + 2 * len(WAYS) * options.repeat * (options.seconds + 8))
    os.sched_setaffinity(0, {min(LOAD_CORE, os.cpu_count() - 1)})
    results = measure(str(options.banyan), options.seconds, options.repeat)
    text = markdown(results, options.banyan, options.seconds, options.repeat)
    print(text)
    for missed in verdict(results):
        print(f"missed: {missed}")
    if options.docs:
        run.DOCS.write_text(report.between(run.DOCS.read_text(), BEGIN, END, text))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
