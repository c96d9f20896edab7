"""The demo: it says what to try, and every command that it prints does what the line above says."""

import collections
import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from harness import BANYAN, PATIENCE, ask, eventually

# Of each command some words, and what its output must have.
EXPECTED = {
    "reviews?limit": [r'"product"|"stars"|\[', r"BAN-S"],
    "grep x-served-by": [r"\d .*catalog-1", r"\d .*catalog-2"],
    "seq 40": [r"^user \d+$"],
    "x-api-version: 3": [r"^\{"],
    "/api/v1/items/2": [r'"id": ?"?2'],
    "/p/3": [r"^HTTP/1.1 301 ", r"(?i)^location: /products/3"],
    "/teapot": [r"^HTTP/1.1 418 ", r"short and stout"],
    "/echo": [r"(?i)^via: ", r"(?i)^x-forwarded-for: 127\.0\.0\.1|::1"],
    "/nowhere": [r"^HTTP/1.1 404 ", r"^HTTP/1.1 405 ", r"(?i)^allow: GET, HEAD", r'"status":404'],
    "/report/now": [r"^HTTP/1.1 504 ", r"^HTTP/1.1 503 "],
    "faults/catalog-2": [r'^\{"fault":"down"\}$', r"^ *20 200$", r'^\{"fault":"none"\}$'],
    "faults/reviews-1": [r"^504 after ", r"^503 after [0-9.]+ s\nsellers: 200$"],
    "/metrics": [r"^banyan_requests_total\{", r'"layers"'],
}


class DemoTest(unittest.TestCase):
    """Its ports are fixed, so there is one at a time on this machine."""

    def setUp(self):
        lock = open(os.path.join(tempfile.gettempdir(), "banyan-demo.lock"), "w")
        self.addCleanup(lock.close)

        def alone():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
        eventually(alone, "alone with the demo's ports", 5 * PATIENCE)
        folder = tempfile.TemporaryDirectory(prefix="banyan-")
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name, "out.txt")
        self.log = pathlib.Path(folder.name, "log.txt")

    def start(self, *options):
        with open(self.out, "wb") as out, open(self.log, "wb") as log:
            child = subprocess.Popen([BANYAN, "demo", *options], stdout=out, stderr=log,
                                     stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, child)
        eventually(lambda: child.poll() is not None or "Ctrl-C" in self.out.read_text(),
                   "the greeting")
        if child.poll() is not None and "in use" in self.log.read_text():
            self.skipTest("another program has a port of the demo: " + self.log.read_text())
        self.assertIsNone(child.poll(), self.log.read_text())
        return child

    @staticmethod
    def end(child):
        if child.poll() is None:
            child.kill()
            child.wait()

    def commands(self):
        lines = self.out.read_text().splitlines()
        return [line.strip() for line in lines if line.startswith("  ") and line[2] != "#"]

    def run_line(self, command):
        """As typed, but bounded; curl's progress is not asked for."""
        told = subprocess.run(["bash", "-c", command.replace("curl ", "curl -sS -m 30 ")],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(told.stderr, "", command)
        return told.stdout.replace("\r", "")

    def expected(self, command):
        return [(words, wanted) for words, wanted in EXPECTED.items() if words in command]

    def test_every_line_of_the_greeting_works(self):
        child = self.start("--workers", "2")
        seen = collections.Counter()
        for command in self.commands():
            ((words, wanted),) = self.expected(command)
            seen[words] += 1
            told = self.run_line(command)
            for pattern in wanted:
                self.assertRegex(told, re.compile(pattern, re.MULTILINE), command)
        self.assertEqual(seen, {words: 1 for words in EXPECTED}, "all of them, each once")
        self.assertNotIn("6.6.6.6", self.run_line("curl -H 'x-forwarded-for: 6.6.6.6' "
                                                  "localhost:8080/echo"))
        self.ends_with(child, signal.SIGINT)

    def test_users_of_the_canary_stay(self):
        child = self.start()
        (command,) = (c for c in self.commands() if "seq 40" in c)
        first = self.run_line(command)
        self.assertEqual(self.run_line(command), first, "the same users each time")
        self.assertIn(len(first.splitlines()), range(1, 15), "about one in ten of forty")
        json.loads(ask("127.0.0.1:8080", "/products/1")[2])
        self.ends_with(child, signal.SIGTERM)

    def test_a_second_demo_says_which_port_is_in_use(self):
        child = self.start()
        second = subprocess.run([BANYAN, "demo"], capture_output=True, text=True, timeout=PATIENCE,
                                check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("in use", second.stderr)
        self.assertRegex(second.stderr, r"90\d\d|8080|9901")
        self.assertNotIn("Ctrl-C", second.stdout)
        self.ends_with(child, signal.SIGINT)

    def ends_with(self, child, number):
        child.send_signal(number)
        self.assertEqual(child.wait(PATIENCE), 0, self.log.read_text())
        for complaint in ("Sanitizer", "runtime error", "CHECK"):
            self.assertNotIn(complaint, self.log.read_text())


if __name__ == "__main__":
    unittest.main()
