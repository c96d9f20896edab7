"""Reloads under load: no request fails, whatever changes, however it is asked for."""

import contextlib
import os
import signal
import socket
import unittest

from harness import Connection, GatewayTest, ask, eventually
from load import Load, small
from origin import Origin


def config(service, listeners="public: 127.0.0.1:0", routes="", services="", more=""):
    """One file: `a` behind everything, and what a test adds. Every map has a line of its own."""
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ {listeners} }}
services:
  main: {{ endpoints: [{service}] }}
{services}
routes:
  - {{ to: main }}
{routes}
{more}
"""


class ReloadTest(GatewayTest):
    def setUp(self):
        self.a = Origin(self, "a")
        self.b = Origin(self, "b")

    def answers(self, gateway, target="/small", listener="public"):
        return ask(gateway.address(listener), target)[2].decode()

    def change_everything(self, workers):
        gateway = self.gateway(config(self.a.url), "--workers", str(workers)).start()
        versions = [
            config(self.a.url, routes="  - { match: { path: /new }, respond: { body: new } }"),
            config(self.b.url),
            config(self.b.url, listeners="public: 127.0.0.1:0, second: 127.0.0.1:0",
                   services=f"  other: {{ endpoints: [{self.a.url}] }}",
                   routes='  - { match: { path: /small }, to: other }'),
            config(self.a.url, services="  teapot: { respond: { status: 418 } }",
                   routes="  - { match: { path: /tea }, to: teapot }"),
            config(self.a.url, listeners="public: { address: 127.0.0.1:0, connections: 500 }"),
        ]
        with Load(gateway.address(), names=("a", "b")) as load:
            for _ in range(2):
                for version in versions:
                    gateway.write(version)
                    gateway.reload()
                    load.await_more(60)
        self.assertEqual(load.failures, [])
        self.assertEqual((load.refused, load.closed), (0, 0), "the listener never closed")
        self.assertEqual(load.opened, len(load.threads), "every connection was kept")
        self.assertEqual(gateway.terminate(), 0)

    def test_everything_changes_under_load_with_one_worker(self):
        self.change_everything(1)

    def test_everything_changes_under_load_with_two_workers(self):
        self.change_everything(2)

    def test_what_a_reload_says_holds_from_its_log_line_on(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        for origin in (self.b, self.a, self.b):
            gateway.write(config(origin.url))
            gateway.reload()
            for _ in range(8):  # connections on both workers
                self.assertEqual(self.answers(gateway), origin.name)

    def test_a_listener_comes_and_goes_under_its_own_load(self):
        both = config(self.a.url, listeners="public: 127.0.0.1:0, second: 127.0.0.1:0")
        gateway = self.gateway(both, "--workers", "2").start()
        for round_number in range(3):
            with Load(gateway.address("second")) as load:
                load.until_refused = True
                gateway.write(config(self.a.url))
                gateway.reload()
                load.join()
            self.assertEqual(load.failures, [])
            self.assertEqual(load.refused, len(load.threads))
            self.assertGreater(load.closed, 0, "clients are told before they are refused")
            gateway.write(both)
            gateway.reload()
            gateway.await_log(r"\Wlistening on \S+ \(second\)", round_number + 2)
            self.assertEqual(self.answers(gateway, listener="second"), "a")

    def test_a_listener_moves_to_another_address(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        old = gateway.address()
        with Load(old) as load:
            load.until_refused = True
            gateway.write(config(self.a.url, listeners="public: 127.0.0.2:0"))
            gateway.reload()
            gateway.await_log(r"\Wlistening on 127.0.0.2:\d+ \(public\)")
            self.assertEqual(self.answers(gateway), "a")
            load.join()
        self.assertEqual(load.failures, [])

    def test_a_new_name_for_a_listener_keeps_its_clients(self):
        probe = self.gateway(config(self.a.url)).start()
        port = probe.address()
        self.assertEqual(probe.terminate(), 0)
        gateway = self.gateway(config(self.a.url, listeners=f"old: {port}"), "--workers", "2").start()
        with Load(port) as load:
            gateway.write(config(self.b.url, listeners=f"new: {port}"))
            load.names = ("a", "b")
            gateway.reload()
            load.await_more()
        self.assertEqual(load.failures, [])
        self.assertEqual((load.refused, load.closed), (0, 0))
        self.assertEqual(load.opened, len(load.threads))
        metrics = ask(gateway.admin(), "/metrics")[2].decode()
        self.assertIn('banyan_connections_accepted_total{listener="old"} 8\n', metrics)
        self.assertIn('banyan_connections_active{listener="old"} 0\n', metrics)

    def test_connections_of_a_service_that_stays_are_kept(self):
        gateway = self.gateway(config(self.a.url), "--workers", "1").start()
        with contextlib.closing(Connection(gateway.address())) as client:
            self.assertEqual(client.ask("/small")[2], b"a")
            for i in range(3):
                gateway.write(config(self.a.url,
                                     routes=f"  - {{ match: {{ path: /{i} }}, respond: {{}} }}"))
                gateway.reload()
                self.assertEqual(client.ask("/small")[2], b"a")
            self.assertEqual(self.a.connections, 1)
            gateway.write(config(self.a.url).replace(
                "] }", "], timeout: { connect: 3s } }"))
            gateway.reload()
            self.assertEqual(client.ask("/small")[2], b"a")
            self.assertEqual(self.a.connections, 2, "another setting is another cluster")

    def test_an_exchange_ends_with_the_version_it_began_with(self):
        gateway = self.gateway(config(self.a.url), "--workers", "1").start()
        with contextlib.closing(Connection(gateway.address())) as client:
            client.request("GET", "/gate/long")
            answer = client.getresponse()
            gateway.write(config(self.b.url))
            gateway.reload()
            self.assertEqual(self.answers(gateway), "b")
            self.a.gate("long").set()
            self.assertEqual(len(answer.read()), 2000)
            self.assertEqual(client.ask("/small")[2], b"b", "the next one is the new version's")

    def test_a_storm_of_hangups(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        with Load(gateway.address(), names=("a", "b")) as load:
            for i in range(200):
                if i % 20 == 0:
                    gateway.write(config((self.a, self.b)[i // 20 % 2].url))
                gateway.signal(signal.SIGHUP)
            gateway.write(config(self.b.url))
            gateway.signal(signal.SIGHUP)
            eventually(lambda: self.answers(gateway) == "b", "the last version")
            load.await_more()
        self.assertEqual(load.failures, [])
        self.assertNotIn("too many", gateway.log())

    def test_many_posts_at_once_each_get_an_answer(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        admin = gateway.admin()
        connections = [Connection(admin) for _ in range(30)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.request("POST", "/reload")
        answers = [connection.getresponse() for connection in connections]
        bodies = [answer.read().decode() for answer in answers]
        self.assertEqual({answer.status for answer in answers} - {200, 422}, set())
        self.assertIn("applied, generation 2\n", bodies)
        self.assertEqual(gateway.generation(), 1 + sum(b.startswith("applied") for b in bodies))


class TransactionTest(GatewayTest):
    """A version that cannot be taken into use changes nothing."""

    def setUp(self):
        self.a = Origin(self, "a")

    BAD = """\
version: 1
admin: 127.0.0.1:0
listeners: { public: 127.0.0.1:0 }
services:
  main: { endpoints: [http://127.0.0.1:1] }
routes:
  - { to: mian }
  - { match: { host: x.example, pathh: /x }, to: main }
"""
    PROBLEMS = [
        "banyan.yaml:7:5: routes[0].to: there is no service 'mian'; did you mean 'main'?",
        "banyan.yaml:8:33: routes[1].match: unknown word 'pathh'; did you mean 'path'?",
    ]

    def test_a_bad_file_changes_nothing_and_all_of_it_is_told(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        with Load(gateway.address()) as load:
            gateway.write(self.BAD)
            gateway.signal(signal.SIGHUP)
            gateway.await_log("nothing was changed")
            status, _, told = ask(gateway.admin(), "/reload", "POST")
            load.await_more()
            self.assertEqual(gateway.generation(), 1)
            gateway.write(config(self.a.url))
            gateway.reload()
        self.assertEqual(load.failures, [])
        self.assertEqual(status, 422)
        for problem in self.PROBLEMS:
            self.assertIn(problem, gateway.log())
            self.assertIn(problem, told.decode())

    def test_a_file_that_is_gone_changes_nothing(self):
        gateway = self.gateway(config(self.a.url)).start()
        gateway.file.unlink()
        status, _, told = ask(gateway.admin(), "/reload", "POST")
        self.assertEqual(status, 422)
        self.assertIn("banyan.yaml", told.decode())
        self.assertEqual(ask(gateway.address(), "/small")[0], 200)
        gateway.write(config(self.a.url))
        self.assertEqual(ask(gateway.admin(), "/reload", "POST")[0], 200)

    def test_a_port_of_another_process_changes_nothing(self):
        gateway = self.gateway(config(self.a.url), "--workers", "2").start()
        other = self.gateway(config(self.a.url)).start()
        taken = other.address()
        gateway.write(config(self.a.url, listeners=f"one: 127.0.0.1:0, public: '{taken}'"))
        with Load(gateway.address()) as load:
            status, _, told = ask(gateway.admin(), "/reload", "POST")
            load.await_more()
        self.assertEqual(load.failures, [])
        self.assertEqual(status, 422)
        self.assertIn(f"listener public: {taken}: the address is in use", told.decode())
        self.assertNotIn("(one)", gateway.log())
        self.assertEqual(gateway.generation(), 1)

    def test_a_wider_address_on_the_same_port_is_no_conflict_with_ourselves(self):
        probe = self.gateway(config(self.a.url)).start()
        port = probe.address().rpartition(":")[2]
        self.assertEqual(probe.terminate(), 0)
        gateway = self.gateway(config(self.a.url, listeners=f"public: '127.0.0.1:{port}'"),
                               "--workers", "2").start()
        for host in ("0.0.0.0", "127.0.0.1"):
            with Load(f"127.0.0.1:{port}") as load:
                gateway.write(config(self.a.url, listeners=f"public: '{host}:{port}'"))
                gateway.reload()
                load.await_more(80)
            self.assertEqual(load.failures, [])
            self.assertEqual(load.refused, 0)

    def test_the_admin_address_moves(self):
        gateway = self.gateway(config(self.a.url)).start()
        old = gateway.admin()
        gateway.write(config(self.a.url).replace("admin: 127.0.0.1:0", "admin: 127.0.0.2:0"))
        status, _, told = ask(old, "/reload", "POST")
        self.assertEqual((status, told), (200, b"applied, generation 2\n"))
        self.assertNotEqual(gateway.admin(), old)
        self.assertEqual(ask(gateway.admin(), "/readyz")[0], 200)

        def gone():
            try:
                ask(old, "/readyz")
            except ConnectionRefusedError:
                return True
            return False
        eventually(gone, "the old address is closed")

    def test_an_admin_address_that_is_taken_changes_nothing(self):
        gateway = self.gateway(config(self.a.url)).start()
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = "127.0.0.1:%d" % other.getsockname()[1]
            gateway.write(config(self.a.url).replace("admin: 127.0.0.1:0", f"admin: {taken}"))
            status, _, told = ask(gateway.admin(), "/reload", "POST")
        self.assertEqual(status, 422)
        self.assertIn(f"admin: {taken}: the address is in use", told.decode())
        self.assertEqual(ask(gateway.admin(), "/readyz")[0], 200)


class WatchTest(GatewayTest):
    """`--watch`: every way in which files change."""

    def setUp(self):
        self.a = Origin(self, "a")
        self.b = Origin(self, "b")

    def small(self, gateway):
        return ask(gateway.address(), "/small")[2].decode()

    def test_written_in_place_and_replaced_under_load(self):
        gateway = self.gateway(config(self.a.url), "--watch", "--workers", "2").start()
        with Load(gateway.address(), names=("a", "b")) as load:
            gateway.file.write_text(config(self.b.url))
            gateway.await_generation(2)
            self.assertEqual(self.small(gateway), "b")
            gateway.write(config(self.a.url))
            gateway.await_generation(3)
            self.assertEqual(self.small(gateway), "a")
            load.await_more()
        self.assertEqual(load.failures, [])

    def test_a_bad_file_and_its_repair(self):
        gateway = self.gateway(config(self.a.url), "--watch").start()
        gateway.write(TransactionTest.BAD)
        gateway.await_log("nothing was changed")
        for problem in TransactionTest.PROBLEMS:
            self.assertIn(problem, gateway.log())
        self.assertEqual(self.small(gateway), "a")
        gateway.write(config(self.b.url))
        gateway.await_generation(2)
        self.assertEqual(self.small(gateway), "b")

    def test_a_link_that_is_swapped_as_kubernetes_does(self):
        gateway = self.gateway(None, "--watch")
        mount = gateway.folder / "mount"
        for name, origin in (("..one", self.a), ("..two", self.b)):
            gateway.write(config(origin.url), f"mount/{name}/banyan.yaml")
        (mount / "..data").symlink_to("..one")
        (mount / "banyan.yaml").symlink_to("..data/banyan.yaml")
        gateway.file = mount / "banyan.yaml"
        gateway.start()
        self.assertEqual(self.small(gateway), "a")
        (mount / "..data_tmp").symlink_to("..two")
        (mount / "..data_tmp").replace(mount / "..data")
        gateway.await_generation(2)
        self.assertEqual(self.small(gateway), "b")

    def test_a_folder_in_the_path_that_is_a_swapped_link(self):
        gateway = self.gateway(None, "--watch")
        for name, origin in (("one", self.a), ("two", self.b)):
            gateway.write(config(origin.url), f"{name}/banyan.yaml")
        current = gateway.folder / "current"
        current.symlink_to("one")
        gateway.file = current / "banyan.yaml"
        gateway.start()
        (gateway.folder / "fresh").symlink_to("two")
        (gateway.folder / "fresh").replace(current)
        gateway.await_generation(2)
        self.assertEqual(self.small(gateway), "b")

    def test_a_link_whose_file_elsewhere_is_written(self):
        gateway = self.gateway(None, "--watch")
        real = gateway.write(config(self.a.url), "elsewhere/real.yaml")
        gateway.file.symlink_to(real)
        gateway.start()
        real.write_text(config(self.b.url))
        gateway.await_generation(2)
        self.assertEqual(self.small(gateway), "b")

    def test_an_include_gains_and_loses_files_and_folders(self):
        gateway = self.gateway(config(self.a.url, more="include: teams/*/*.yaml"), "--watch")
        gateway.start()
        steps = 1
        for team in ("x", "y"):
            gateway.write(f"routes: [{{ match: {{ path: /{team} }}, respond: {{ body: {team} }} }}]",
                          f"teams/{team}/routes.yaml")
            steps += 1
            gateway.await_generation(steps)
            self.assertEqual(ask(gateway.address(), f"/{team}")[2].decode(), team)
        (gateway.folder / "teams/x/routes.yaml").unlink()
        gateway.await_generation(steps + 1)
        self.assertEqual(ask(gateway.address(), "/x")[2].decode(), "a")

    def test_files_that_are_not_the_configuration_reload_nothing(self):
        gateway = self.gateway(config(self.a.url, more="offload: { access_log: access.jsonl }"),
                               "--watch").start()
        for i in range(20):
            self.assertEqual(self.small(gateway), "a")
            gateway.write(str(i), "other.txt")
            gateway.signal(signal.SIGUSR1)  # closes and opens the log beside the file
        os.utime(gateway.file)
        gateway.file.write_text(config(self.a.url, more="offload: { access_log: access.jsonl }"))
        # The next true change is generation 2: nothing before it was one.
        gateway.write(config(self.b.url, more="offload: { access_log: access.jsonl }"))
        gateway.await_generation(2)
        self.assertEqual(self.small(gateway), "b")
        self.assertEqual(gateway.generation(), 2)

    def test_many_changes_in_a_row_end_with_the_last(self):
        gateway = self.gateway(config(self.a.url), "--watch", "--workers", "2").start()
        with Load(gateway.address(), names=("a", "b"), kinds=(small,)) as load:
            for i in range(30):
                gateway.write(config((self.a, self.b)[i % 2].url))
            eventually(lambda: self.small(gateway) == "b", "the last version")
            load.await_more()
        self.assertEqual(load.failures, [])


if __name__ == "__main__":
    unittest.main()
