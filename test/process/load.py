"""Clients that keep N connections busy and count everything that goes wrong.

Each keeps its connection as long as it is allowed to, and begins a new one after an answer that
said `Connection: close`. What counts as a failure: a reset, an end in the middle or before an
answer, a status that is not 200, content that is not what was asked for.
Not a failure: a new connection that is refused (`refused`), since no request was sent on it.
"""

import collections
import contextlib
import threading

from harness import Connection, eventually
from origin import LARGE

UPLOAD = b"u" * 100_000


def small(connection, names):
    status, headers, body = connection.ask("/small")
    return status, headers, body.decode() in names


def large(connection, _):
    status, headers, body = connection.ask("/large")
    return status, headers, body == LARGE


def slow(connection, _):
    """Read in small pieces, so that it is under way for long."""
    connection.request("GET", "/slow")
    answer = connection.getresponse()
    got = bytearray()
    while piece := answer.read(4096):
        got += piece
    return answer.status, answer.headers, bytes(got) == LARGE


def upload(connection, _):
    status, headers, body = connection.ask("/upload", "POST", UPLOAD)
    return status, headers, body == str(len(UPLOAD)).encode()


class Load:
    def __init__(self, address, names=("a",), kinds=(small, large, slow, upload), connections=8):
        self.address = address
        self.names = names
        self.done = collections.Counter()  # good answers, by kind
        self.closed = 0  # answers that said Connection: close
        self.refused = 0
        self.opened = 0
        self.failures = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.until_refused = False
        self.threads = [threading.Thread(target=self.run, args=(kinds[i % len(kinds)],), daemon=True)
                        for i in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.await_more(len(self.threads))
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()

    def total(self):
        with self.lock:
            return sum(self.done.values())

    def await_more(self, count=40):
        """Until so many more were answered, or something failed."""
        goal = self.total() + count
        eventually(lambda: self.total() >= goal or self.failures,
                   lambda: f"{goal} answers, but {self.total()}")

    def run(self, kind):
        while not self.stopping.is_set():
            with contextlib.closing(Connection(self.address)) as connection:
                if not self.open(connection):
                    if self.until_refused:
                        return
                    continue
                self.use(connection, kind)

    def open(self, connection):
        try:
            connection.connect()
        except (ConnectionRefusedError, FileNotFoundError):
            with self.lock:
                self.refused += 1
            self.stopping.wait(0.01)
            return False
        with self.lock:
            self.opened += 1
        return True

    def use(self, connection, kind):
        exchanges = 0
        while not self.stopping.is_set():
            try:
                status, headers, whole = kind(connection, self.names)
            except Exception as error:  # every kind of failure is one
                self.failed(f"{kind.__name__}, after {exchanges} on the connection: {error!r}")
                return
            if status != 200 or not whole:
                self.failed(f"{kind.__name__}: status {status}, whole: {whole}")
                return
            exchanges += 1
            closes = headers.get("Connection", "").lower() == "close"
            with self.lock:
                self.done[kind.__name__] += 1
                self.closed += closes
            if closes:
                return

    def failed(self, what):
        with self.lock:
            self.failures.append(what)
        self.stopping.wait(0.01)
