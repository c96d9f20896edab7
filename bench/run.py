#!/usr/bin/env python3
"""Banyan beside nginx and haproxy, in one run, on one machine. See README.md."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import cases
import perf
import report
from measure import Bench, run_case
from process import LOAD_CORE
from proxies import ROOT, Origin

DOCS = ROOT / "docs/performance.md"
CASE_MAX_SECONDS = 300  # beside the loads themselves: starts, 10,000 connections, a slow stop


def arguments(argv):
    p = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    p.add_argument("--case", action="append", default=[], help="a case; repeatable; default all")
    p.add_argument("--only", action="append", default=[], help="a proxy; repeatable; default all")
    p.add_argument("--seconds", type=int, default=4, help="length of one load (4)")
    p.add_argument("--repeat", type=int, default=5, help="interleaved rounds (5)")
    p.add_argument("--quick", action="store_true", help="1 round of 1 second: does it work?")
    p.add_argument("--json", type=pathlib.Path, help="keep the rounds here; other cases stay")
    p.add_argument("--docs", action="store_true", help=f"rewrite the tables in {DOCS.name}")
    p.add_argument("--from", dest="source", type=pathlib.Path, help="report this JSON, run nothing")
    p.add_argument("--banyan", type=pathlib.Path, default=ROOT / "build/banyan")
    p.add_argument("--origin", choices=("own", "nginx"), default="own")
    p.add_argument("--perf", action="store_true", help="profile instead of measuring")
    p.add_argument("--list", action="store_true", help="name the cases")
    options = p.parse_args(argv)
    if options.quick:
        options.seconds, options.repeat = 1, 1
    if not (1 <= options.seconds <= 60 and 1 <= options.repeat <= 50):
        p.error("--seconds is 1 to 60, --repeat 1 to 50")
    unknown = set(options.only) - set(report.BASE)
    if unknown:
        p.error(f"no proxy {', '.join(unknown)}; there are: {', '.join(report.BASE)}")
    return options


def machine(banyan):
    def first(*argv):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return re.search(r"\d[\w.+-]*", done.stdout + done.stderr)[0]
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    found = {"cores": os.cpu_count(), "CPU": cpu[1] if cpu else platform.machine(),
             "Linux": platform.release(), "nginx": first("nginx", "-v"),
             "haproxy": first("haproxy", "-v"), "wrk": first("wrk", "-v")}
    if banyan.exists():
        mode = re.search(r"CMAKE_BUILD_TYPE:\w+=(\w+)", _text(banyan.parent / "CMakeCache.txt"))
        found["banyan"] = mode[1] if mode else "of unknown build type"
    return found


def commit():
    """The commit measured; "+" when the sources differ from it."""
    def git(*argv):
        return subprocess.run(["git", "-C", str(ROOT), *argv], capture_output=True, text=True,
                              check=False).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--short", "src") else "")


def _text(path):
    return path.read_text() if path.exists() else ""


def say(case, name, what):
    if case is None:
        print(f"  {name}: {what}", file=sys.stderr, flush=True)
        return
    shown = "  ".join(f"{k} {report.number(v)}" for k, v in what.items())
    print(f"  {case.name} {name}: {shown}", file=sys.stderr, flush=True)


def chosen(options):
    """The proxies to run: banyan joins as soon as its binary exists."""
    names = options.only or list(report.BASE)
    if "banyan" in names and not options.banyan.exists():
        if options.only:
            raise SystemExit(f"no binary at {options.banyan}")
        say(None, "banyan", f"no binary at {options.banyan}; measured without")
        names = [n for n in names if n != "banyan"]
    return [n for n in names if n == "banyan" or shutil.which(n)]


def measure(options, bench, selected):
    names = chosen(options)
    document = {"machine": machine(options.banyan), "cases": {}}
    for case in selected:
        print(f"{case.name}: {case.title}", file=sys.stderr)
        budget = len(names) * 3 * options.repeat * (options.seconds + 3) + CASE_MAX_SECONDS
        signal.alarm(budget)
        rounds, failures = run_case(bench, case, case.proxies(names), options.repeat, say)
        document["cases"][case.name] = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": commit(), "seconds": options.seconds, "repeat": options.repeat,
            "rounds": rounds, "failures": failures}
        keep(options.json, document)
    return document


def keep(path, document):
    """Cases measured now replace their older selves, the others stay: a run may be one case."""
    if path is None:
        return
    if path.exists():
        older = json.loads(path.read_text())["cases"]
        document["cases"] = {**older, **document["cases"]}
    path.write_text(json.dumps(document, indent=1) + "\n")


def stop(number, _frame):
    raise SystemExit(128 + number)  # so that every context manager ends what it started


def main(argv):
    options = arguments(argv)
    if options.list:
        print("\n".join(f"{c.name:12} {c.title}" for c in cases.CASES))
        return 0
    if options.source:
        return finish(options, json.loads(options.source.read_text()))
    selected = cases.find(options.case)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    os.sched_setaffinity(0, {min(LOAD_CORE, os.cpu_count() - 1)})
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory) as folder:
        origin = Origin(folder, options.origin)
        try:
            bench = Bench(folder, origin, str(options.banyan), options.seconds)
            if options.perf:
                return profiles(options, bench, selected)
            return finish(options, measure(options, bench, selected))
        finally:
            signal.alarm(0)
            origin.process.stop()


def profiles(options, bench, selected):
    for case in [c for c in selected if c.kind == "load"]:
        for name in chosen(options):
            out = ROOT / "build-bench" / f"perf-{case.name}-{name}.txt"
            signal.alarm(options.seconds + CASE_MAX_SECONDS)
            print(perf.profile(bench, case, name, out))
    return 0


def finish(options, document):
    print(report.markdown(document))
    if options.docs:
        DOCS.write_text(report.into_docs(DOCS.read_text(), document))
    bad = [(c, b) for c in cases.CASES for b in c.bounds
           if report.judge(report.value_of(b, document["cases"].get(c.name, {}).get(
               "rounds", {}))[0], b) == "**FAIL**"]
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
