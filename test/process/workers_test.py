"""Several workers are one gateway: limits are exact over all of them, all of them work."""

import contextlib
import pathlib
import re
import socket
import unittest

from harness import Connection, GatewayTest, ask, connect, eventually
from load import Load
from origin import Origin

LIMIT = 7


def config(service, listener):
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners:
  public: {listener}
services: {{ main: {{ endpoints: [{service}] }} }}
routes: [ {{ to: main }} ]
"""


class WorkersTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")

    def start(self, listener="127.0.0.1:0", workers=4):
        return self.gateway(config(self.origin.url, listener), "--workers", str(workers)).start()

    def try_client(self, gateway):
        """A connection that answers, or None: it was closed at once."""
        client = Connection(gateway.address())
        self.addCleanup(client.close)
        try:
            return client if client.ask("/small")[0] == 200 else None
        except (ConnectionError, socket.timeout):
            return None

    def metric(self, gateway, name):
        text = ask(gateway.admin(), "/metrics")[2].decode()
        found = re.search(rf'^{name}{{listener="public"}} (\d+)$', text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def limit_is_exact(self, listener):
        gateway = self.start(listener)
        clients = [self.try_client(gateway) for _ in range(5 * LIMIT)]
        good = [client for client in clients if client is not None]
        self.assertEqual(len(good), LIMIT)
        self.assertEqual(self.metric(gateway, "banyan_connections_refused_total"), 4 * LIMIT)
        self.assertEqual(self.metric(gateway, "banyan_connections_active"), LIMIT)
        for client in good:
            self.assertEqual(client.ask("/small")[0], 200, "those within the limit are untouched")
        good.pop().close()
        replaced = eventually(lambda: self.try_client(gateway), "a place is free")
        self.assertIsNone(self.try_client(gateway))
        self.assertEqual(replaced.ask("/small")[0], 200)
        return gateway, good + [replaced]

    def test_the_limit_of_connections_is_exact_over_all_workers(self):
        self.limit_is_exact(f"{{ address: 127.0.0.1:0, connections: {LIMIT} }}")

    def test_the_limit_on_a_path(self):
        self.limit_is_exact(f"{{ address: unix:public.sock, connections: {LIMIT} }}")

    def test_a_reload_changes_the_limit_and_keeps_the_count(self):
        listener = f"{{ address: 127.0.0.1:0, connections: {LIMIT} }}"
        gateway, good = self.limit_is_exact(listener)
        gateway.write(config(self.origin.url, listener.replace(f"connections: {LIMIT}", f"connections: {LIMIT + 2}")))
        gateway.reload()
        more = [self.try_client(gateway) for _ in range(10)]
        self.assertEqual(sum(client is not None for client in more), 2)
        gateway.write(config(self.origin.url, listener))
        gateway.reload()
        self.assertIsNone(self.try_client(gateway))
        for client in good:
            self.assertEqual(client.ask("/small")[0], 200, "whoever is in stays in")

    def test_clients_that_come_all_at_once(self):
        gateway = self.start(f"{{ address: 127.0.0.1:0, connections: {LIMIT} }}")
        sockets = [connect(gateway.address()) for _ in range(10 * LIMIT)]
        for client in sockets:
            self.addCleanup(client.close)
        eventually(lambda: self.metric(gateway, "banyan_connections_refused_total") == 9 * LIMIT,
                   "all the others are refused")
        answered = 0
        for client in sockets:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
                answered += client.recv(100).startswith(b"HTTP/1.1 200 ")
        self.assertEqual(answered, LIMIT)

    def cpu_ticks(self, gateway, name):
        """What a thread of that name has used so far, by /proc."""
        for task in self.tasks(gateway):
            text = (task / "stat").read_text()
            if f"({name})" in text:
                user, system = text.rpartition(")")[2].split()[11:13]
                return int(user) + int(system)
        raise AssertionError(f"no thread {name}")

    @staticmethod
    def tasks(gateway):
        return pathlib.Path(f"/proc/{gateway.child.pid}/task").iterdir()

    def test_all_workers_take_clients(self):
        gateway = self.start(workers=3)
        names = [f"worker-{i}" for i in range(3)]
        before = {name: self.cpu_ticks(gateway, name) for name in names}
        with Load(gateway.address(), connections=24) as load:
            eventually(lambda: all(self.cpu_ticks(gateway, name) > before[name] for name in names),
                       "each has worked")
        self.assertEqual(load.failures, [])

    def test_a_listener_with_threads_is_served_by_nobody_else(self):
        text = f"""\
version: 1
admin: 127.0.0.1:0
listeners:
  public: 127.0.0.1:0
  web: {{ address: 127.0.0.1:0, threads: 2 }}
services: {{ main: {{ endpoints: [{self.origin.url}] }} }}
routes: [ {{ to: main }} ]
"""
        gateway = self.gateway(text, "--workers", "1").start()
        own, general = ("web-0", "web-1"), "worker-0"

        def used(names):
            return sum(self.cpu_ticks(gateway, name) for name in names)
        before = used([general])
        with Load(gateway.address("web"), connections=24) as load:
            eventually(lambda: all(used([name]) >= 5 for name in own) and used(own) >= 20,
                       "both have worked")
            gateway.write(text.replace("threads: 2", "threads: 3"))
            gateway.reload()
            load.await_more()
        self.assertLess(10 * (used([general]) - before), used(own))
        self.assertEqual(load.failures, [])
        self.assertEqual((load.refused, load.closed), (0, 0))
        gateway.await_log("listener web: `threads` is 3 in the file; until the process is started")
        with Load(gateway.address("public"), connections=4) as load:
            eventually(lambda: used([general]) > before, "the general worker has worked")
        self.assertEqual(load.failures, [])
        self.assertEqual(gateway.terminate(), 0)

    def test_a_path_that_workers_share(self):
        gateway = self.start("unix:public.sock")
        with Load(gateway.address(), connections=16) as load:
            for _ in range(3):
                gateway.reload()
                load.await_more()
        self.assertEqual(load.failures, [])
        self.assertEqual((load.refused, load.closed), (0, 0))
        self.assertEqual(gateway.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
