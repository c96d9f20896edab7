"""Where a proxy spends its time: perf record under the same load, as text.

The clock is the only event here (a virtual machine has no counters); kernel frames need root.
"""

import pathlib
import subprocess

from process import LOAD_CORE, Process

HERTZ = 1999  # not a divisor of the timer tick, or samples would march in step with it
LINES_MAX = 400


def profile(bench, case, name, out):
    """Writes OUT: the flat list first, then who called what. The sampling costs CPU itself, so
    no figure of such a run is ever reported."""
    data = pathlib.Path(bench.folder, "perf.data")
    with bench.start(name) as proxy:
        bench.under_load(case, proxy, 1)
        pids = ",".join(map(str, proxy.process.pids()))
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-g", "-p", pids,
                  "-o", str(data), "--", "sleep", str(bench.seconds)]
        with Process(record, LOAD_CORE) as recorder:
            bench.under_load(case, proxy, bench.seconds + 1)
            recorder.child.wait(30)
        flat = _report(data, "--no-children", "-g", "none", "--sort", "symbol,dso")
        tree = _report(data, "--children", "-g", "caller,0.5,callee,function,percent")
    title = f"{name}, {case.title}: samples of {bench.seconds} s at {HERTZ} Hz\n"
    pathlib.Path(out).write_text(f"{title}\n=== self ===\n{flat}\n=== callers ===\n{tree}\n")
    return out


def _report(data, *options):
    argv = ["perf", "report", "-i", str(data), "--stdio", "--percent-limit", "0.3", *options]
    text = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout
    lines = [x for x in text.splitlines() if x.strip() and not x.startswith("#")]
    return "\n".join(lines[:LINES_MAX])
