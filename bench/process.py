"""One process tree that the bench started: its CPU time, its memory, its end.

Everything is read from /proc; nothing but what this file spawned is ever signalled.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

PROXY_CORE = 0
LOAD_CORE = 1
STOP_WAIT_SECONDS = 3.0


@contextlib.contextmanager
def on_core(core):
    """A child inherits our affinity: cheaper at start than exec through taskset."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def read(path):
    """The text of a /proc file, or nothing when its process has ended meanwhile."""
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


class Process:
    """A started command. `stop` is idempotent; use as a context manager."""

    def __init__(self, argv, core, guard=True, log=subprocess.DEVNULL, env=None):
        # The guard ends the child should the bench itself be killed. It costs one exec, so
        # measurements of start-up go without.
        guarded = ["setpriv", "--pdeathsig", "TERM", "--"] if guard else []
        with on_core(core):
            self.started = time.monotonic()
            self.child = subprocess.Popen(
                guarded + argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=env)
        self.pid = self.child.pid
        self.argv = argv

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self):
        return self.child.poll() is None

    def pids(self):
        """The process and all its descendants."""
        found = [self.pid]
        for pid in found:  # grows while it is walked: breadth first
            for task in _tasks(pid):
                found += map(int, read(f"{task}/children").split())
        return found

    def cpu_ns(self):
        """Time on a core of all threads, in nanoseconds: the scheduler's own sum, not ticks."""
        total = 0
        for pid in self.pids():
            for task in _tasks(pid):
                total += int((read(f"{task}/schedstat").split() or ["0"])[0])
        return total

    def pss_bytes(self):
        """Memory with shared pages divided among their users: a fair sum over a tree."""
        total = 0
        for pid in self.pids():
            for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        family = self.pids() if self.running() else []
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.running():
                break
            self.child.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(STOP_WAIT_SECONDS)
        for pid in family[1:]:
            _end_orphan(pid, self.pid)


def _tasks(pid):
    with contextlib.suppress(OSError):
        return [f"/proc/{pid}/task/{tid}" for tid in os.listdir(f"/proc/{pid}/task")]
    return []


def _end_orphan(pid, session):
    """A worker whose master is gone. Its session proves that the pid has not been reused."""
    deadline = time.monotonic() + STOP_WAIT_SECONDS
    with contextlib.suppress(ProcessLookupError):
        if os.getsid(pid) == session:
            os.kill(pid, signal.SIGTERM)
        while os.getsid(pid) == session:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                return
            if read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["Z"]:
                return
            time.sleep(0.01)


def core_busy_ns(core):
    """Everything that ran on a core, stolen time included; in ticks, for spotting noise only."""
    for line in read("/proc/stat").splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            ticks = sum(map(int, fields[1:9])) - int(fields[4]) - int(fields[5])
            return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return 0
