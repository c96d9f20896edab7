"""Clients that know nothing of Banyan work through the ambassador, unchanged: curl, Python's httpx,
Node's fetch, and PostgreSQL's psql over raw TCP."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import unittest

from harness import PATIENCE, GatewayTest, eventually, host_and_port
from origin import Origin

SCRIPTS = pathlib.Path(__file__).resolve().parent / "clients"
POST = "100000"  # how many bytes the scripts send


class ClientsTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")
        self.far = f"{self.origin.url}/far"
        self.gateway_ = self.gateway(f"""\
version: 1
ambassador:
  near: {{ listen: 127.0.0.1:0, to: main }}
  path: {{ listen: "unix:near.sock", to: main }}
  out:
    listen: 127.0.0.1:0
    forward_proxy: {{ allow: ["{self.origin.url.removeprefix('http://')}"], services: {{ main.internal: main }} }}
services:
  main: {{ endpoints: [{self.origin.url}], retry: {{}} }}
""", "--workers", "2").start()
        self.near = f"http://{self.gateway_.address('near')}/near"
        self.proxy = f"http://{self.gateway_.address('out')}"

    def run_client(self, *command, **environment):
        names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        clean = {k: v for k, v in os.environ.items() if k.lower() not in names}
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE,
                              env={**clean, **environment}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def curl(self, *arguments, **environment):
        return self.run_client("curl", "--silent", "--show-error", "--fail", *arguments,
                               **environment)

    def test_curl(self):
        self.assertEqual(self.curl(self.near), ["a"])
        self.assertEqual(self.curl("--unix-socket", str(self.gateway_.folder / "near.sock"),
                                   "http://main/near"), ["a"])
        self.assertEqual(self.curl(self.far, http_proxy=self.proxy), ["a"])
        self.assertEqual(self.curl("http://main.internal/", http_proxy=self.proxy), ["a"])
        self.assertEqual(self.curl("--proxytunnel", self.far, http_proxy=self.proxy), ["a"])
        refused = subprocess.run(["curl", "--silent", "--output", "/dev/null", "--write-out",
                                  "%{http_code}", "--proxy", self.proxy, "http://other.example/"],
                                 capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(refused.stdout, "403")

    def test_httpx(self):
        # Debian's Python has it as a package.
        python = "/usr/bin/python3"
        self.assertEqual(self.run_client(python, str(SCRIPTS / "ask.py"), self.near, self.far,
                                         HTTP_PROXY=self.proxy), ["a", POST, "a", "a"])

    def test_node(self):
        # Debian's packages are not in the path of another Node.
        self.assertEqual(self.run_client("node", str(SCRIPTS / "ask.mjs"), self.near, self.proxy,
                                         self.far, NODE_PATH="/usr/share/nodejs"),
                         ["a", POST, "a"])


class Postgres:
    """A database of its own, on a Unix socket and a port of a gateway's choice to come to it."""

    def __init__(self, test):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="banyan-pg-"))
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parts[-2]))
        self.programs = versions[-1]
        # It refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-U", "banyan", "-A", "trust", "--no-sync",
                 "--locale=C.UTF-8")
        self.child = subprocess.Popen(
            [self.programs / "postgres", "-D", data, "-k", self.folder, "-c",
             "listen_addresses=", "-F"],
            cwd=self.folder, user=self.user, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        test.addCleanup(self.stop)
        self.path = self.folder / ".s.PGSQL.5432"
        eventually(self.ready, "PostgreSQL answers")

    def run(self, program, *arguments):
        subprocess.run([self.programs / program, *arguments], cwd=self.folder, user=self.user,
                       capture_output=True, timeout=PATIENCE, check=True)

    def ready(self):
        return subprocess.run(["pg_isready", "-q", "-h", self.folder], check=False,
                              timeout=PATIENCE).returncode == 0

    def stop(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


class PostgresTest(GatewayTest):
    def test_psql(self):
        if os.geteuid() == 0:
            pwd.getpwnam("postgres")  # the package makes it
        database = Postgres(self)
        gateway = self.gateway(f"""\
version: 1
ambassador:
  db: {{ listen: 127.0.0.1:0, tcp: "unix:{database.path}" }}
""", "--workers", "2").start()
        host, port = host_and_port(gateway.address("db"))
        script = ("create table t(n int); insert into t select generate_series(1, 50000); "
                  "select sum(n) from t; copy (select n from t order by n) to stdout")
        done = subprocess.run(
            ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port),
             "-U", "banyan", "-d", "postgres", "-c", script],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.split()
        self.assertEqual(lines[0], str(50000 * 50001 // 2))
        self.assertEqual(lines[1:], [str(n) for n in range(1, 50001)])


if __name__ == "__main__":
    unittest.main()
