"""TLS of a listener, in a running gateway: curl and Python's ssl as clients, both engines."""

import contextlib
import http.client
import ssl
import subprocess
import unittest

from harness import PATIENCE, GatewayTest, host_and_port
from origin import LARGE, Origin
from upstream_tls_test import Authority


class ListenerTlsTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")
        self.authority = Authority(self)
        self.authority.issue("shop", "DNS:localhost,IP:127.0.0.1")
        self.authority.issue("blog", "DNS:blog.example")

    def pair(self, name):
        return (f"{{ cert: {self.authority.path(name + '.pem')}, "
                f"key: {self.authority.path(name + '.key')} }}")

    def start(self, words="", *options):
        return self.gateway(f"""\
version: 1
listeners:
  public:
    address: 127.0.0.1:0
    tls: {{ certificates: [{self.pair("shop")}, {self.pair("blog")}]{words} }}
services:
  main: {{ endpoints: [{self.origin.url}] }}
routes: [ {{ to: main }} ]
""", "--workers", "2", *options).start()

    def client(self):
        return ssl.create_default_context(cafile=self.authority.path("ca.pem"))

    @contextlib.contextmanager
    def connection(self, gateway, context=None):
        host, port = host_and_port(gateway.address())
        one = http.client.HTTPSConnection(host, port, timeout=PATIENCE,
                                          context=context or self.client())
        with contextlib.closing(one):
            yield one

    @staticmethod
    def ask(connection, target, body=None):
        connection.request("POST" if body else "GET", target, body=body)
        return connection.getresponse().read()

    def test_requests_of_all_sizes_in_both_versions_and_engines(self):
        for engine in ("epoll", "auto"):
            gateway = self.start("", "--engine", engine)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.client()
                context.minimum_version = context.maximum_version = version
                with self.subTest(engine=engine, version=version), \
                        self.connection(gateway, context) as connection:
                    self.assertEqual(self.ask(connection, "/x"), b"a")
                    self.assertEqual(self.ask(connection, "/large"), LARGE)
                    self.assertEqual(self.ask(connection, "/in", b"x" * 1_000_000), b"1000000")
                    self.assertEqual(self.ask(connection, "/x"), b"a")

    def test_curl(self):
        port = host_and_port(self.start().address())[1]
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--cacert", self.authority.path("ca.pem"),
             f"https://localhost:{port}/x", "--next", "--silent", "--cacert",
             self.authority.path("ca.pem"), "--resolve", f"blog.example:{port}:127.0.0.1",
             f"https://blog.example:{port}/x"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "aa"), done.stderr)

    def test_a_renewed_certificate_is_taken_by_a_reload(self):
        gateway = self.start()
        with self.connection(gateway) as before:
            self.assertEqual(self.ask(before, "/x"), b"a")
            self.authority.issue("shop", "DNS:other.example")
            gateway.reload()
            self.assertEqual(self.ask(before, "/x"), b"a", "an open connection stays")
        with self.connection(gateway) as after, self.assertRaises(ssl.SSLCertVerificationError):
            self.ask(after, "/x")

    def test_bad_files_change_nothing(self):
        gateway = self.start()
        with open(self.authority.path("shop.pem"), "w", encoding="ascii") as file:
            file.write("damaged")
        gateway.signal(1)
        gateway.await_log("holds no certificate in PEM form")
        with self.connection(gateway) as connection:
            self.assertEqual(self.ask(connection, "/x"), b"a")

    def test_mutual_tls(self):
        self.authority.issue("me", "DNS:me.example")
        gateway = self.start(f", client_ca: {self.authority.path('ca.pem')}")
        with self.connection(gateway) as connection, self.assertRaises((ssl.SSLError, OSError)):
            self.ask(connection, "/x")
        context = self.client()
        context.load_cert_chain(self.authority.path("me.pem"), self.authority.path("me.key"))
        with self.connection(gateway, context) as connection:
            self.assertEqual(self.ask(connection, "/x"), b"a")


if __name__ == "__main__":
    unittest.main()
