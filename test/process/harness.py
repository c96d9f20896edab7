"""What the tests of the real binary share: the gateway as a child process, files, waiting.

Nothing sleeps for a fixed time: `eventually` waits for a condition and has a deadline that only a
broken program meets. Ports are the kernel's choice (port 0) and are read from the log.
"""

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BANYAN = os.environ.get("BANYAN", str(ROOT / "build" / "banyan"))
PATIENCE = float(os.environ.get("BANYAN_PATIENCE", "60"))  # seconds, for a busy machine


def eventually(condition, what, seconds=PATIENCE):
    """The first true value of condition(), asked again and again."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what() if callable(what) else what}")
        time.sleep(0.005)


def banyan(*arguments, env=None):
    """A command that ends by itself: its result, with text in stdout and stderr."""
    return subprocess.run([BANYAN, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, **(env or {})}, check=False)


def host_and_port(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def connect(address):
    """A socket to "host:port" or "unix:/path"."""
    if address.startswith("unix:"):
        out = socket.socket(socket.AF_UNIX)
        out.settimeout(PATIENCE)
        try:
            out.connect(address.removeprefix("unix:"))
        except BaseException:
            out.close()
            raise
        return out
    return socket.create_connection(host_and_port(address), timeout=PATIENCE)


class Connection(http.client.HTTPConnection):
    """An HTTP connection to any kind of address, kept until it is closed."""

    def __init__(self, address):
        super().__init__("localhost", timeout=PATIENCE)
        self.address = address

    def connect(self):
        self.sock = connect(self.address)

    def ask(self, target, method="GET", body=None, headers=None):
        """(status, headers, body); the body whole, or an exception."""
        self.request(method, target, body=body, headers=headers or {})
        answer = self.getresponse()
        return answer.status, answer.headers, answer.read()


def ask(address, target, method="GET", body=None, headers=None):
    """One request on a connection of its own."""
    with contextlib.closing(Connection(address)) as connection:
        return connection.ask(target, method, body, headers)


class Gateway:
    """`banyan run` in a folder of its own. Ended with the test that made it, whatever happened."""

    def __init__(self, test, config, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="banyan-"))
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = self.folder / "banyan.yaml"
        self.log_file = self.folder / "log.txt"
        self.out_file = self.folder / "out.txt"
        self.options = options
        self.child = None
        if config is not None:
            self.write(config)
        test.addCleanup(self.end)

    def write(self, config, name="banyan.yaml"):
        """As an editor that replaces the file does it: never half a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(config)
        fresh.replace(path)
        return path

    def start(self):
        self.begin()
        eventually(self.started, lambda: f"started; its log:\n{self.log()}")
        return self

    def begin(self):
        """Without waiting. The paths of the configuration are relative to the folder."""
        with open(self.log_file, "ab") as log, open(self.out_file, "ab") as out:
            self.child = subprocess.Popen(
                [BANYAN, "run", "-c", str(self.file.relative_to(self.folder)), *self.options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log)

    def started(self):
        if self.child.poll() is not None:
            raise AssertionError(f"ended with {self.child.returncode}:\n{self.log()}")
        return "ready" in self.log() and self.generation() > 0

    def log(self):
        return self.log_file.read_text(errors="replace")

    def generation(self):
        found = re.findall(r"generation (\d+):", self.log())
        return int(found[-1]) if found else 0

    def await_generation(self, number):
        eventually(lambda: self.generation() >= number,
                   lambda: f"generation {number}; the log:\n{self.log()}")

    def await_log(self, pattern, times=1):
        eventually(lambda: len(re.findall(pattern, self.log())) >= times,
                   lambda: f"'{pattern}' {times} times in the log:\n{self.log()}")

    def address(self, listener="public"):
        found = eventually(
            lambda: re.findall(rf"\Wlistening on (\S+) \({re.escape(listener)}\)", self.log()),
            f"listening as {listener}")
        return self.absolute(found[-1])

    def admin(self):
        found = eventually(lambda: re.findall(r"admin pages on (\S+)", self.log()), "admin")
        return self.absolute(found[-1])

    def absolute(self, address):
        """A relative path is the gateway's, in its folder."""
        if not address.startswith("unix:"):
            return address
        return f"unix:{self.folder / address.removeprefix('unix:')}"

    def signal(self, number):
        self.child.send_signal(number)

    def reload(self):
        """SIGHUP, until it is in use."""
        number = self.generation() + 1
        self.signal(signal.SIGHUP)
        self.await_generation(number)

    def running(self):
        return self.child.poll() is None

    def await_exit(self, seconds=PATIENCE):
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired as still:
            raise AssertionError(f"still runs; its log:\n{self.log()}") from still

    def terminate(self):
        self.signal(signal.SIGTERM)
        return self.await_exit()

    def end(self):
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


class GatewayTest(unittest.TestCase):
    """Tests that run a gateway: at the end it must still drain by itself, without a complaint of a
    sanitizer."""

    maxDiff = None

    def gateway(self, config, *options):
        gateway = Gateway(self, config, *options)
        self.addCleanup(self.check_end, gateway)
        return gateway

    def check_end(self, gateway):
        if gateway.child is None:
            return
        if gateway.running():
            gateway.signal(signal.SIGTERM)
            eventually(lambda: not gateway.running() or "draining" in gateway.log(), "draining")
            if gateway.running():
                gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.await_exit(), 0, gateway.log())
        for complaint in ("Sanitizer", "runtime error", "CHECK"):
            self.assertNotIn(complaint, gateway.log())
