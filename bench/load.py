"""Puts load on a proxy: wrk for requests, an epoll client for idle connections."""

import re
import selectors
import socket
import subprocess
import time

from process import LOAD_CORE, Process

UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}
SCRIPT = """\
local n, i, ready = {routes}, 0, {{}}
function init(args)
  for k = 1, 1000 do
    ready[k] = wrk.format("GET", "/r" .. ((k * 7919) % n) .. "{path}")
  end
end
function request()
  i = i % 1000 + 1
  return ready[i]
end
"""


class LoadFailed(Exception):
    """The load was not what the case says: no figure is better than a wrong one."""


def wrk(port, path, connections, seconds, folder, close=False, routes=0, scheme="http"):
    """Runs wrk. Returns its figures; raises when anything but a 2xx came back."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "8s"]
    if close:
        argv += ["-H", "Connection: close"]
    if routes:
        script = f"{folder}/routes.lua"
        with open(script, "w", encoding="ascii") as out:
            out.write(SCRIPT.format(routes=routes, path=path))
        argv += ["-s", script]
    with Process(argv + [f"{scheme}://127.0.0.1:{port}{path}"], LOAD_CORE,
                 log=subprocess.PIPE) as process:
        output = process.child.communicate(timeout=seconds + 20)[0].decode()
    return parse_wrk(output)


STREAMS = 10  # of each connection of HTTP/2


def h2load(port, path, connections, seconds):
    """Runs h2load. Returns its figures; raises when anything but a 2xx came back."""
    argv = ["h2load", "--threads=1", f"--clients={connections}",
            f"--max-concurrent-streams={STREAMS}", f"--duration={seconds}",
            f"http://127.0.0.1:{port}{path}"]
    with Process(argv, LOAD_CORE, log=subprocess.PIPE) as process:
        output = process.child.communicate(timeout=seconds + 20)[0].decode()
    return parse_h2load(output)


def parse_h2load(output):
    """The figures of h2load: it tells no percentiles."""
    found = re.search(r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
                      r"(\d+) failed, (\d+) errored, (\d+) timeout", output, re.M)
    rate = re.search(r"^finished in [^,]+, ([\d.]+) req/s", output, re.M)
    codes = re.search(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output, re.M)
    if not (found and rate and codes) or int(codes[1]) == 0:
        raise LoadFailed(f"h2load measured nothing:\n{output}")
    if any(int(found[i]) for i in (5, 6, 7)) or any(int(codes[i]) for i in (2, 3, 4)):
        raise LoadFailed(f"{found[0]}; {codes[0]}")
    return {"requests": int(codes[1]), "rps": float(rate[1])}


def parse_wrk(output):
    """The figures of `wrk --latency`, in microseconds."""
    requests = re.search(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m),", output, re.M)
    if requests is None or int(requests[1]) == 0:
        raise LoadFailed(f"wrk measured nothing:\n{output}")
    for trouble in ("Non-2xx", "Socket errors"):
        if trouble in output:
            raise LoadFailed(next(x for x in output.splitlines() if trouble in x).strip())
    figures = {"requests": int(requests[1])}
    for name, percent in (("p50_us", "50"), ("p99_us", "99")):
        found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)$", output, re.M)
        figures[name] = float(found[1]) * UNITS_US[found[2]]
    figures["rps"] = figures["requests"] / (float(requests[2]) * UNITS_US[requests[3]] / 1e6)
    return figures


class IdleConnections:
    """Keep-alive connections that made one request each and then fell silent."""

    IN_FLIGHT_MAX = 64  # so that the upstream pool stays small: idle clients are what is measured
    OPEN_MAX_SECONDS = 60.0

    def __init__(self, port, path, count):
        self.port = port
        self.request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
        self.idle = []
        self.waiting = selectors.EpollSelector()
        deadline = time.monotonic() + self.OPEN_MAX_SECONDS
        opened = 0
        while len(self.idle) < count:
            if time.monotonic() > deadline:
                raise LoadFailed(f"only {len(self.idle)} of {count} connections in time")
            while opened < count and opened - len(self.idle) < self.IN_FLIGHT_MAX:
                self._open()
                opened += 1
            for key, _ in self.waiting.select(1.0):
                self._answered(key.fileobj)

    def _open(self):
        s = socket.create_connection(("127.0.0.1", self.port), 8.0)
        s.sendall(self.request)
        self.waiting.register(s, selectors.EVENT_READ)

    def _answered(self, s):
        answer = s.recv(8192)
        while answer.startswith(b"HTTP/1.1 200") and len(answer.partition(b"\r\n\r\n")[2]) < 256:
            more = s.recv(8192)
            if not more:
                break
            answer += more
        if not answer.startswith(b"HTTP/1.1 200"):
            raise LoadFailed(f"an idle connection was answered with {answer[:60]!r}")
        self.waiting.unregister(s)
        self.idle.append(s)

    def held(self):
        """How many the proxy still keeps: a dropped one would flatter its memory."""
        kept = 0
        for s in self.idle:
            s.setblocking(False)
            try:
                kept += len(s.recv(1)) > 0
            except BlockingIOError:
                kept += 1
            except OSError:
                pass
        return kept

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.waiting.close()
        for s in self.idle:
            s.close()
