#!/usr/bin/env python3
"""What an ambassador adds to a call: Banyan and haproxy over TCP and over a Unix socket, against
asking the service itself. See README.md."""

import argparse
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import report
import run
from load import LoadFailed
from process import LOAD_CORE, PROXY_CORE, Process
from proxies import ROOT, NotReady, Origin, compiled, free_port

BEGIN, END = "<!-- hop:begin (written by bench/hop.py --docs) -->", "<!-- hop:end -->"
TARGET = "/256"
READY_MAX_SECONDS = 10.0


def banyan_config(folder, port, origin_port):
    return f"""\
version: 1
listeners: {{ tcp: "127.0.0.1:{port}", local: "unix:{folder}/banyan.sock" }}
services: {{ origin: {{ endpoints: [http://127.0.0.1:{origin_port}] }} }}
routes: [ {{ to: origin }} ]
"""


def haproxy_config(folder, port, origin_port):
    return f"""\
global
  nbthread 1
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend local
  bind 127.0.0.1:{port}
  bind unix@{folder}/haproxy.sock
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Via "1.1 haproxy"
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin_port}
"""


class Ambassador:
    """One proxy with a port and a path; both answer when the constructor returns."""

    def __init__(self, name, folder, origin_port, banyan):
        self.port, self.path = free_port(), f"unix:{folder}/{name}.sock"
        make, argv = {"banyan": (banyan_config, [banyan, "run", "--workers", "1", "-c"]),
                      "haproxy": (haproxy_config, ["haproxy", "-db", "-f"])}[name]
        config = pathlib.Path(folder, f"{name}.conf")
        config.write_text(make(folder, self.port, origin_port))
        self.process = Process([*argv, str(config)], PROXY_CORE)
        deadline = time.monotonic() + READY_MAX_SECONDS
        while any(ping(address, 1, check=False) is None for address in (self.port, self.path)):
            if time.monotonic() > deadline or not self.process.running():
                self.process.stop()
                raise NotReady(name)
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()


def ping(address, seconds, check=True):
    """The figures of one run of the pinger; None when it could not be done and `check` is off."""
    with Process([str(compiled("hop/pinger.cc")), str(address), TARGET, str(seconds)], LOAD_CORE,
                 log=subprocess.PIPE) as process:
        output = process.child.communicate(timeout=seconds + 20)[0].decode()
    found = re.fullmatch(r"requests (\d+) p50_ns (\d+) p99_ns (\d+) mean_ns (\d+)\n", output)
    if found is None:
        if check:
            raise LoadFailed(output.strip() or "the pinger said nothing")
        return None
    requests, p50, p99, mean = map(int, found.groups())
    return {"requests": requests, "p50_us": p50 / 1e3, "p99_us": p99 / 1e3, "mean_us": mean / 1e3}


def through(proxy, address, direct, seconds):
    """One run through a proxy: what it adds to a call, and what it spends on one."""
    before = proxy.process.cpu_ns()
    figures = ping(address, seconds)
    # The warm-up and the first connection are in it too: well under 1 % of a run.
    figures["cpu_us"] = (proxy.process.cpu_ns() - before) / 1e3 / figures["requests"]
    figures["added_p50_us"] = figures["p50_us"] - direct["p50_us"]
    figures["added_p99_us"] = figures["p99_us"] - direct["p99_us"]
    return figures


def measure(banyan, seconds, rounds):
    """{way: [figures of each round]}; the ways take turns, so that a slow minute slows all."""
    results = {}
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="hop-", dir=memory) as folder:
        origin = Origin(folder, "own")
        try:
            with (Ambassador("banyan", folder, origin.port, banyan) as ours,
                  Ambassador("haproxy", folder, origin.port, banyan) as theirs):
                for _ in range(rounds):
                    direct = ping(origin.port, seconds)
                    results.setdefault("direct", []).append(direct)
                    for name, proxy in (("banyan", ours), ("haproxy", theirs)):
                        for kind, address in (("TCP", proxy.port), ("Unix socket", proxy.path)):
                            results.setdefault(f"{name}, {kind}", []).append(
                                through(proxy, address, direct, seconds))
        finally:
            origin.process.stop()
    return results


COLUMNS = (("p50 us", "p50_us"), ("p99 us", "p99_us"), ("added p50 us", "added_p50_us"),
           ("added p99 us", "added_p99_us"), ("CPU us a call", "cpu_us"))


def to_haproxy(results, way):
    """Of the added p50 and of the CPU: median of the rounds' ratios, with the same kind of hop."""
    if not way.startswith("banyan"):
        return "-"
    theirs = results[way.replace("banyan", "haproxy")]
    return " / ".join(
        f"{statistics.median(report.ratios(results[way], theirs, metric)):.2f}"
        for metric in ("added_p50_us", "cpu_us"))


def markdown(results, banyan, seconds, rounds):
    rows = [[way, *(report.number(report.median(figures, metric)) for _, metric in COLUMNS),
             to_haproxy(results, way)] for way, figures in results.items()]
    machine = ", ".join(f"{k} {v}" for k, v in run.machine(banyan).items())
    return (f"Machine: {machine}. Commit {run.commit()}, medians of {rounds} rounds of {seconds} s."
            "\n\n" + report.table(["way", *(title for title, _ in COLUMNS),
                                   "added p50 / CPU to haproxy"], rows))


def main(argv):
    p = argparse.ArgumentParser(prog="bench/hop.py", description=__doc__)
    p.add_argument("--seconds", type=int, default=2, choices=range(1, 31), metavar="1-30")
    p.add_argument("--repeat", type=int, default=7, choices=range(1, 31), metavar="1-30")
    p.add_argument("--docs", action="store_true", help="rewrite the table in performance.md")
    p.add_argument("--banyan", type=pathlib.Path, default=ROOT / "build/banyan")
    options = p.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, run.stop)
    signal.alarm(60 + 6 * options.repeat * (options.seconds + 2))
    os.sched_setaffinity(0, {min(LOAD_CORE, os.cpu_count() - 1)})
    results = measure(str(options.banyan), options.seconds, options.repeat)
    text = markdown(results, options.banyan, options.seconds, options.repeat)
    print(text)
    if options.docs:
        run.DOCS.write_text(report.between(run.DOCS.read_text(), BEGIN, END, text))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
