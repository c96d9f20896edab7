"""Transparent redirect, with the kernel's packet filter, in a network namespace that the test makes:
nothing outside of it changes."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import BANYAN, PATIENCE, ROOT

INSIDE = pathlib.Path(__file__).resolve().parent / "transparent" / "inside.py"
REDIRECT = ROOT / "scripts" / "redirect.sh"
# Such a namespace wants root.
ROOT_PREFIX = [] if os.geteuid() == 0 else ["sudo", "-n"]


def may_have_namespaces():
    """Containers often may not, and then nothing can be shown here."""
    tried = subprocess.run([*ROOT_PREFIX, "unshare", "--net", "nft", "list", "tables"],
                           capture_output=True, timeout=PATIENCE, check=False)
    return tried.returncode == 0


class TransparentTest(unittest.TestCase):
    def test_connections_go_where_they_were_going(self):
        if not may_have_namespaces():
            self.skipTest("no network namespaces, or no nftables, for this process")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="banyan-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        shutil.copy(BANYAN, folder / "banyan")  # where any user may read it
        shutil.copy(REDIRECT, folder / "redirect.sh")
        done = subprocess.run(
            [*ROOT_PREFIX, "unshare", "--net", sys.executable, str(INSIDE), str(folder / "banyan"),
             str(folder / "redirect.sh"), str(folder)],
            capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
        log = (folder / "log").read_text() if (folder / "log").exists() else ""
        self.assertEqual(done.returncode, 0, done.stderr + log)
        self.assertEqual(done.stdout.splitlines(), [
            "before 10.9.0.1 0",          # by the application itself, which is root there
            "through 10.9.0.1 65534",     # by Banyan for it
            "through fd09::1 65534",
            "nobody ConnectionResetError",
            "direct ConnectionResetError",
            "again 10.9.0.1 65534",
            "after 10.9.0.1 0",
            "left nothing",
            "exit 0",
        ], log)

    def test_the_script_tells_how_it_is_used(self):
        for arguments in ((), ("add",), ("add", "x", "nobody", "80"), ("add", "1", "nobody", "80;"),
                          ("remove", "all"), ("what",)):
            with self.subTest(arguments):
                done = subprocess.run(["sh", str(REDIRECT), *arguments], capture_output=True,
                                      text=True, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("redirect.sh add PORT USER PORTS", done.stderr)

    def test_an_unknown_user_is_told(self):
        done = subprocess.run(["sh", str(REDIRECT), "add", "15001", "no-such-user", "80"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-user", done.stderr)


if __name__ == "__main__":
    unittest.main()
