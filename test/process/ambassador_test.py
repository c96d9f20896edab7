"""Local addresses for an application, in a running gateway: raw TCP and a forward proxy."""

import contextlib
import hashlib
import os
import signal
import socket
import threading
import unittest

from harness import PATIENCE, GatewayTest, ask, connect, eventually
from origin import Origin

MUCH = 4 * 1024 * 1024


class Echo:
    """A server of no known protocol: it greets, gives back what it gets, and says bye at the end."""

    def __init__(self, test):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()
        test.addCleanup(self.stop)

    def stop(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    @staticmethod
    def serve(client):
        with client, contextlib.suppress(OSError):
            client.sendall(b"hello\n")
            while piece := client.recv(65536):
                client.sendall(piece)
            client.sendall(b"bye\n")


def read_exactly(sock, size):
    out = bytearray()
    while len(out) < size:
        piece = sock.recv(size - len(out))
        if not piece:
            raise AssertionError(f"ended after {len(out)} of {size} bytes")
        out += piece
    return bytes(out)


def read_all(sock):
    out = bytearray()
    while piece := sock.recv(65536):
        out += piece
    return bytes(out)


class TcpTest(GatewayTest):
    def setUp(self):
        self.echo = Echo(self)

    def config(self, more="", tcp=None):
        return f"""\
version: 1
admin: 127.0.0.1:0
ambassador:
  port: {{ listen: 127.0.0.1:0, tcp: "{tcp or self.echo.address}"{more} }}
  path: {{ listen: "unix:raw.sock", tcp: "{tcp or self.echo.address}"{more} }}
"""

    def start(self, more="", workers=2):
        return self.gateway(self.config(more), "--workers", str(workers)).start()

    def greeted(self, gateway, entry="port"):
        sock = connect(gateway.address(entry))
        self.addCleanup(sock.close)
        self.assertEqual(read_exactly(sock, 6), b"hello\n")
        return sock

    def test_all_bytes_both_ways_and_the_end_of_one(self):
        gateway = self.start()
        data = os.urandom(65536) * (MUCH // 65536)
        for entry in ("port", "path"):
            sock = self.greeted(gateway, entry)
            sender = threading.Thread(target=lambda s=sock: (s.sendall(data),
                                                             s.shutdown(socket.SHUT_WR)))
            sender.start()
            got = read_all(sock)
            sender.join(PATIENCE)
            self.assertEqual(got[-4:], b"bye\n", entry)
            self.assertEqual(hashlib.sha256(got[:-4]).digest(), hashlib.sha256(data).digest())

    def test_one_limit_over_all_workers(self):
        gateway = self.start(", connections: 3", workers=4)
        open_ones = [self.greeted(gateway) for _ in range(3)]
        for _ in range(8):
            with connect(gateway.address("port")) as sock:
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(sock.recv(1), b"")
        open_ones.pop().close()
        eventually(self.one_more(gateway), "room again")

    @staticmethod
    def one_more(gateway):
        def attempt():
            with contextlib.suppress(ConnectionResetError):
                with connect(gateway.address("port")) as sock:
                    return sock.recv(6) == b"hello\n"
            return False
        return attempt

    def test_nobody_there_is_a_reset(self):
        gateway = self.start()
        self.echo.stop()
        with connect(gateway.address("port")) as sock:
            with self.assertRaises(ConnectionResetError):
                while sock.recv(1):
                    pass

    def test_reload_and_drain_leave_connections_alone(self):
        gateway = self.start()
        sock = self.greeted(gateway)
        other = Echo(self)
        gateway.write(self.config(tcp=other.address))
        gateway.reload()
        self.greeted(gateway).close()
        self.echo.stop()
        sock.sendall(b"still there?")
        self.assertEqual(read_exactly(sock, 12), b"still there?")
        gateway.signal(signal.SIGTERM)
        gateway.await_log("draining")
        sock.sendall(b"and now?")
        self.assertEqual(read_exactly(sock, 8), b"and now?")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(sock), b"bye\n")
        self.assertEqual(gateway.await_exit(), 0)


class ForwardProxyTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")
        self.port = self.origin.url.rpartition(":")[2]

    def start(self, more=""):
        return self.gateway(f"""\
version: 1
ambassador:
  out:
    listen: 127.0.0.1:0
    forward_proxy: {{ allow: ["127.0.0.1:{self.port}", "localhost:*"]{more} }}
""", "--workers", "2").start()

    def test_what_is_allowed_and_what_is_not(self):
        proxy = self.start().address("out")
        self.assertEqual(ask(proxy, f"{self.origin.url}/x")[2], b"a")
        status, _, body = ask(proxy, f"http://localhost:{self.port}/x")
        self.assertEqual((status, b"does not allow" in body), (403, True), body)
        self.assertEqual(ask(proxy, "http://other.example/")[0], 403)
        self.assertEqual(ask(proxy, "/x")[0], 400)

    def test_names_lead_to_this_machine_when_that_is_said(self):
        proxy = self.start(', networks: ["127.0.0.0/8", "::1"]').address("out")
        self.assertEqual(ask(proxy, f"http://localhost:{self.port}/x")[2], b"a")

    def test_a_tunnel(self):
        gateway = self.start()
        with connect(gateway.address("out")) as sock:
            sock.sendall(f"CONNECT 127.0.0.1:{self.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += read_exactly(sock, 1)
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            self.assertTrue(read_all(sock).endswith(b"\r\n\r\na"))


if __name__ == "__main__":
    unittest.main()
