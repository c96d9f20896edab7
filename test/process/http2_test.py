"""HTTP/2 in a running gateway, with clients and services that others have written: curl, nghttp,
h2load, and gRPC."""

import pathlib
import subprocess
import unittest

from harness import PATIENCE, GatewayTest, host_and_port
from origin import LARGE, Origin
from upstream_tls_test import Authority

PEER = pathlib.Path(__file__).resolve().parent / "clients" / "grpc_peer.py"
PYTHON = "/usr/bin/python3"  # the distribution's, which has its packages


class Http2Test(GatewayTest):
    def start(self, endpoint, tls="", engine="auto"):
        return self.gateway(f"""\
version: 1
listeners:
  public: {{ address: 127.0.0.1:0{tls} }}
services:
  main: {{ endpoints: ["{endpoint}"] }}
routes: [ {{ to: main }} ]
""", "--workers", "2", "--engine", engine).start()

    def run_client(self, *command, content=None):
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, input=content,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_curl(self):
        origin = Origin(self, "a")
        for engine in ("epoll", "auto"):
            address = self.start(origin.url, engine=engine).address()
            curl = ("curl", "--silent", "--show-error", "--http2-prior-knowledge")
            with self.subTest(engine=engine):
                self.assertEqual(self.run_client(*curl, f"http://{address}/x", "--write-out",
                                                 "%{http_version}"), b"a2")
                self.assertEqual(self.run_client(*curl, f"http://{address}/large"), LARGE)
                self.assertEqual(self.run_client(*curl, "--data-binary", "@-",
                                                 f"http://{address}/in", content=LARGE),
                                 str(len(LARGE)).encode())

    def test_curl_over_tls_chooses_it(self):
        origin, authority = Origin(self, "a"), Authority(self)
        authority.issue("shop", "DNS:localhost,IP:127.0.0.1")
        pair = f"cert: {authority.path('shop.pem')}, key: {authority.path('shop.key')}"
        gateway = self.start(origin.url, f", tls: {{ certificates: {{ {pair} }} }}")
        port = host_and_port(gateway.address())[1]
        curl = ("curl", "--silent", "--show-error", "--cacert", authority.path("ca.pem"))
        for option, version in (("--http2", b"2"), ("--http1.1", b"1.1")):
            self.assertEqual(self.run_client(*curl, option, "--write-out", "%{http_version}",
                                             f"https://localhost:{port}/x"), b"a" + version)
        self.assertEqual(self.run_client(*curl, "--http2", f"https://localhost:{port}/large"),
                         LARGE)

    def test_nghttp_and_h2load(self):
        origin = Origin(self, "a")
        address = self.start(origin.url).address()
        self.assertEqual(self.run_client("nghttp", f"http://{address}/large"), LARGE)
        told = self.run_client("h2load", "--requests=500", "--clients=4",
                               "--max-concurrent-streams=10", f"http://{address}/x").decode()
        self.assertIn("500 succeeded, 0 failed", told)

    def test_grpc(self):
        service = subprocess.Popen([PYTHON, PEER, "serve"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(service.wait, PATIENCE)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.stdin.close)
        port = service.stdout.readline().strip()
        gateway = self.start(f"h2c://127.0.0.1:{port}")
        told = self.run_client(PYTHON, PEER, "ask", gateway.address()).decode().splitlines()
        self.assertEqual(told, ["got hello 5", "1000004", "0 1 2 3 4", "a+b+c", "echo 1,echo 2",
                                "NOT_FOUND", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "yes"])


if __name__ == "__main__":
    unittest.main()
