#!/usr/bin/env python3
"""Tests of scripts/packages.sh, with a machine made of scripts: what is installed, what could be,
who we are. Nothing is installed."""

import pathlib
import re
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = TOP / "scripts/packages.sh"
LIST = TOP / "scripts/packages.txt"

TOOLS = {
    "dpkg-query": 'for last; do :; done; grep -qx "$last" "$STATE/installed" && echo "ii "',
    "apt-cache": 'if grep -qx "$2" "$STATE/known"; then echo "  Candidate: 1.0"; '
                 'else echo "  Candidate: (none)"; fi',
    "apt-get": 'echo "apt-get $*" >>"$STATE/calls"; case "$*" in *install*) exit "$APT";; esac',
    "sudo": 'echo "sudo $*" >>"$STATE/calls"; [ "$1" = -n ] && shift; exec "$@"',
    "id": 'echo "$WHO"',
}


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)
        self.bin = self.state / "bin"
        self.bin.mkdir()
        for name, body in TOOLS.items():
            self.tool(name, body)
        for name in ("awk", "grep", "tr", "sed", "cat", "env", "dirname", "sh"):
            (self.bin / name).symlink_to(f"/usr/bin/{name}")
        (self.state / "calls").touch()

    def tool(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run_script(self, *groups, installed=(), unknown=(), who=0, apt=0):
        every = set(re.findall(r"[^|\s]+", LIST.read_text()))
        (self.state / "installed").write_text("\n".join(installed) + "\n")
        (self.state / "known").write_text("\n".join(every - set(unknown)) + "\n")
        return subprocess.run(
            [str(SCRIPT), *groups], capture_output=True, text=True, timeout=20, check=False,
            stdin=subprocess.DEVNULL,
            env={"PATH": str(self.bin), "STATE": str(self.state), "WHO": str(who),
                 "APT": str(apt)})

    def calls(self):
        return (self.state / "calls").read_text()

    def group(self, name):
        """The first choice of each line, read another way than the script does."""
        section = LIST.read_text().split(f"[{name}]\n")[1].split("\n[")[0]
        return [line.split("|")[0] for line in section.split("\n") if line.strip()]

    def test_nothing_is_called_when_all_is_there(self):
        done = self.run_script("build", installed=self.group("build"))
        self.assertEqual((done.returncode, done.stdout, self.calls()), (0, "", ""))

    def test_only_what_is_missing_is_installed(self):
        there = [name for name in self.group("build") if name not in ("cmake", "lld-19")]
        done = self.run_script("build", installed=there)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "packages: installing cmake lld-19\n")
        last = self.calls().splitlines()[-1]
        self.assertRegex(last, r"--yes --no-install-recommends cmake lld-19$")
        self.assertNotIn("sudo", self.calls())

    def test_groups_are_joined(self):
        done = self.run_script("build", "test")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in self.group("build") + self.group("test"):
            self.assertIn(f" {name}", done.stdout)
        self.assertNotIn("wrk", done.stdout)

    def test_either_of_two_is_enough(self):
        there = [name for name in self.group("bench") if name != "nginx-light"]
        self.assertEqual(self.run_script("bench", installed=there + ["nginx"]).stdout, "")
        self.assertEqual(self.run_script("bench", installed=there).stdout,
                         "packages: installing nginx-light\n")

    def test_who_is_not_root_takes_sudo_and_is_not_asked(self):
        done = self.run_script("build", who=1000)
        self.assertEqual(done.returncode, 0, done.stderr)
        for call in self.calls().splitlines():
            if call.startswith("sudo"):
                self.assertTrue(call.startswith("sudo -n "), call)
        self.assertIn("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get", self.calls())

    def test_neither_root_nor_sudo(self):
        (self.bin / "sudo").unlink()
        done = self.run_script("bench", who=1000)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not root, and there is no sudo", done.stderr)
        self.assertIn("haproxy", done.stderr)
        self.assertEqual(self.calls(), "")

    def test_what_no_source_has_is_named_and_nothing_is_installed(self):
        done = self.run_script("build", unknown=["clang-19", "lld-19"])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"no source of this machine .* has: clang-19 lld-19\n")
        self.assertIn("/etc/apt/sources.list", done.stderr)
        self.assertNotIn(" install ", self.calls())

    def test_a_failed_install_is_told_and_fails(self):
        done = self.run_script("build", apt=100)
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get could not install: ccache", done.stderr)

    def test_a_group_that_is_not_there(self):
        done = self.run_script("build", "tset")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no group 'tset'; there are: [build] [test] [bench]", done.stderr)
        self.assertEqual(self.calls(), "")


if __name__ == "__main__":
    unittest.main()
