"""A service to stand behind the gateway: small, threaded, keep-alive, on a port of its own.

  GET  /...          the origin's name
  GET  /large        LARGE bytes, the same always
  GET  /slow         the same in pieces, each after the other was sent
  GET  /gate/NAME    half of its content; the rest when the test opens the gate
  any  /busy         503
  POST /...          how many bytes came
"""

import socket
import socketserver
import threading

from harness import PATIENCE

LARGE = bytes(range(256)) * 2048  # 512 KiB


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True

    def setup(self):
        tls = self.server.origin.tls
        if tls is not None:
            self.request = tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        super().setup()

    def finish(self):
        super().finish()
        if self.server.origin.tls is not None:
            self.connection.close()

    def handle(self):
        self.server.origin.connected(self.connection)
        try:
            if self.server.origin.tls is not None:
                self.connection.do_handshake()
            while self.answer_one():
                pass
        except OSError:
            pass  # the gateway has closed

    def answer_one(self):
        line = self.rfile.readline(65536)
        if not line:
            return False
        method, target, _ = line.decode("latin-1").split()
        length = self.read_head()
        got = self.read_all(length)
        if got < length:
            return False
        self.server.origin.asked(target)
        path = target.partition("?")[0]
        if path == "/busy":
            self.wfile.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
        elif method == "POST":
            self.send(str(got).encode())
        elif path == "/large":
            self.send(LARGE)
        elif path == "/slow":
            self.send_in_pieces(LARGE)
        elif path.startswith("/gate/"):
            return self.send_past_gate(path.removeprefix("/gate/"))
        else:
            self.send(self.server.origin.name.encode())
        return True

    def read_head(self):
        length = 0
        while (line := self.rfile.readline(65536)) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return length

    def read_all(self, length):
        got = 0
        while got < length and (piece := self.rfile.read(min(65536, length - got))):
            got += len(piece)
        return got

    def head(self, size):
        return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n".encode()

    def send(self, content):
        self.wfile.write(self.head(len(content)) + content)

    def send_in_pieces(self, content):
        self.wfile.write(self.head(len(content)))
        for at in range(0, len(content), 16384):
            self.wfile.write(content[at:at + 16384])

    def send_past_gate(self, name):
        half = b"x" * 1000
        self.wfile.write(self.head(2 * len(half)) + half)
        self.server.origin.at_gate(name)
        if not self.server.origin.gate(name).wait(PATIENCE):
            return False
        self.wfile.write(half)
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512


class Origin:
    """`tls`: an ssl.SSLContext of a server, or None."""

    def __init__(self, test, name, tls=None):
        self.name = name
        self.tls = tls
        self.connections = 0  # so many were opened
        self.requests = {}
        self.lock = threading.Lock()
        self.gates = {}
        self.waiting = set()
        self.open = set()
        self.server = Server(("127.0.0.1", 0), Conversation)
        self.server.origin = self
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        test.addCleanup(self.stop)

    @property
    def url(self):
        return ("http" if self.tls is None else "https") + "://127.0.0.1:%d" % self.server.server_address[1]

    def connected(self, connection):
        with self.lock:
            self.connections += 1
            self.open.add(connection)

    def asked(self, target):
        with self.lock:
            self.requests[target] = self.requests.get(target, 0) + 1

    def gate(self, name):
        with self.lock:
            return self.gates.setdefault(name, threading.Event())

    def at_gate(self, name):
        with self.lock:
            self.waiting.add(name)

    def stop(self):
        for gate in list(self.gates.values()):
            gate.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended before
        self.thread.join()
