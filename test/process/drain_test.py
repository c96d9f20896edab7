"""The end of the process: what was accepted is answered, idle clients are let go, time is bounded."""

import contextlib
import signal
import time
import unittest

from harness import Connection, GatewayTest, ask, connect, eventually
from load import Load
from origin import Origin


def config(service, grace="60s", listener="127.0.0.1:0", more=""):
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ public: "{listener}" }}
services: {{ main: {{ endpoints: [{service}] }} }}
routes: [ {{ to: main }} ]
shutdown: {{ grace: {grace} }}
{more}
"""


class DrainTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")

    def start(self, workers=1, **changes):
        return self.gateway(config(self.origin.url, **changes), "--workers", str(workers)).start()

    def held(self, gateway, gate):
        """A client whose answer stands still in the middle."""
        client = Connection(gateway.address())
        self.addCleanup(client.close)
        client.request("GET", f"/gate/{gate}")
        answer = client.getresponse()
        eventually(lambda: gate in self.origin.waiting, "half of the answer is sent")
        return answer

    def begin_drain(self, gateway, number=signal.SIGTERM):
        gateway.signal(number)
        eventually(lambda: ask(gateway.admin(), "/readyz")[0] == 503, "not ready")

    def await_refusal(self, gateway):
        def refused():
            try:
                connect(gateway.address()).close()
            except (ConnectionRefusedError, FileNotFoundError):
                return True
            return False
        eventually(refused, "new clients are refused")

    def drain_under_load(self, workers, listener="127.0.0.1:0"):
        gateway = self.start(workers, listener=listener)
        with Load(gateway.address(), connections=16) as load:
            load.until_refused = True
            load.await_more(100)
            gateway.signal(signal.SIGTERM)
            load.join()
        self.assertEqual(gateway.await_exit(), 0, gateway.log())
        self.assertEqual(load.failures, [])
        self.assertGreater(load.closed, 0)
        self.assertIn("stopped", gateway.log())

    def test_no_request_fails_with_one_worker(self):
        self.drain_under_load(1)

    def test_no_request_fails_with_three_workers(self):
        self.drain_under_load(3)

    def test_no_request_fails_on_a_path(self):
        self.drain_under_load(2, "unix:drain.sock")

    def test_what_is_under_way_finishes(self):
        gateway = self.start()
        answer = self.held(gateway, "g")
        upload = Connection(gateway.address())
        self.addCleanup(upload.close)
        upload.putrequest("POST", "/upload")
        upload.putheader("Content-Length", "200000")
        upload.endheaders(b"x" * 100_000)
        self.assertEqual(ask(gateway.address(), "/small")[0], 200)
        self.begin_drain(gateway)
        self.await_refusal(gateway)
        upload.send(b"x" * 100_000)
        got = upload.getresponse()
        self.assertEqual((got.status, got.read()), (200, b"200000"))
        self.assertEqual(got.headers["Connection"], "close")
        self.assertTrue(gateway.running(), "the first answer is still under way")
        self.origin.gate("g").set()
        self.assertEqual(len(answer.read()), 2000)
        self.assertEqual(gateway.await_exit(), 0)

    def test_a_client_between_two_requests_is_told_to_close(self):
        gateway = self.start()
        answer = self.held(gateway, "g")
        with contextlib.closing(Connection(gateway.address())) as client:
            _, headers, _ = client.ask("/small")
            self.assertNotEqual(headers.get("Connection"), "close")
            self.begin_drain(gateway)
            status, headers, _ = client.ask("/small")
            self.assertEqual((status, headers["Connection"]), (200, "close"))
        self.origin.gate("g").set()
        self.assertEqual(len(answer.read()), 2000)
        self.assertEqual(gateway.await_exit(), 0)

    def test_idle_clients_are_let_go(self):
        gateway = self.start(2)
        idle = [Connection(gateway.address()) for _ in range(8)]
        for client in idle:
            self.addCleanup(client.close)
            self.assertEqual(client.ask("/small")[0], 200)
        never_used = connect(gateway.address())
        self.addCleanup(never_used.close)
        begin = time.monotonic()
        self.assertEqual(gateway.terminate(), 0)
        self.assertLess(time.monotonic() - begin, 30, "the grace of 60 s was not needed")
        for client in idle:
            self.assertEqual(client.sock.recv(1), b"", "an end, no reset")
        self.assertEqual(never_used.recv(1), b"")

    def test_the_grace_bounds_it(self):
        gateway = self.start(grace="300ms")
        answer = self.held(gateway, "g")
        begin = time.monotonic()
        self.assertEqual(gateway.terminate(), 0)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        with self.assertRaises(Exception):  # the answer was cut off, and it shows
            answer.read()

    def test_no_grace_at_all(self):
        gateway = self.start(grace="0s")
        self.held(gateway, "g")
        self.assertEqual(gateway.terminate(), 0)

    def second_signal(self, first, second):
        gateway = self.start(2)
        self.held(gateway, "g")
        self.begin_drain(gateway, first)
        self.assertTrue(gateway.running())
        gateway.signal(second)
        self.assertEqual(gateway.await_exit(30), 0, "the grace was 60 s")
        self.assertIn("second signal", gateway.log())

    def test_a_second_signal_ends_it_at_once(self):
        self.second_signal(signal.SIGTERM, signal.SIGTERM)

    def test_either_signal_will_do(self):
        self.second_signal(signal.SIGINT, signal.SIGTERM)

    def test_no_reload_while_it_drains(self):
        gateway = self.start(2)
        answer = self.held(gateway, "g")
        self.begin_drain(gateway)
        gateway.write("nonsense: true")
        gateway.signal(signal.SIGHUP)
        status, _, told = ask(gateway.admin(), "/reload", "POST")
        self.assertEqual((status, told), (422, b"nothing was changed:\nthe process is stopping\n"))
        self.origin.gate("g").set()
        self.assertEqual(len(answer.read()), 2000)
        self.assertEqual(gateway.await_exit(), 0)
        self.assertNotIn("nonsense", gateway.log())

    def test_signals_right_behind_each_other(self):
        """A reload, a drain and an end that overtake each other at every point."""
        for _ in range(12):
            gateway = self.start(2)
            self.held(gateway, "g")
            gateway.write(config("http://never.invalid:80", more="log: debug"))
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP, signal.SIGINT,
                           signal.SIGTERM):
                gateway.signal(number)
            self.assertEqual(gateway.await_exit(), 0, gateway.log())

    def test_a_reload_that_waits_for_names_is_overtaken_by_the_end(self):
        gateway = self.start(2)
        self.held(gateway, "g")
        gateway.write(config("http://never.invalid:80").replace("admin: 127.0.0.1:0",
                                                                "admin: 127.0.0.2:0"))
        with contextlib.closing(Connection(gateway.admin())) as admin:
            admin.request("POST", "/reload")
            gateway.signal(signal.SIGTERM)
            gateway.await_log("draining")
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.await_exit(), 0, gateway.log())

    def test_a_client_that_stopped_reading_is_cut_off_at_the_end(self):
        gateway = self.start(grace="300ms")
        client = connect(gateway.address())
        self.addCleanup(client.close)
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 64)
        eventually(lambda: self.origin.requests.get("/large", 0) > 0, "it is asked")
        self.assertEqual(gateway.terminate(), 0)

    def test_the_socket_file_is_taken_away(self):
        gateway = self.start(2, listener="unix:gone.sock")
        self.assertTrue((gateway.folder / "gone.sock").is_socket())
        self.assertEqual(gateway.terminate(), 0)
        self.assertFalse((gateway.folder / "gone.sock").exists())


class StartTest(GatewayTest):
    """What may go wrong at the start ends it with status 1, and says why."""

    def refused(self, text):
        gateway = self.gateway(text)
        gateway.begin()
        self.assertEqual(gateway.await_exit(), 1)
        return gateway.log()

    def test_a_port_in_use(self):
        first = self.gateway(config("http://127.0.0.1:1"), "--workers", "2").start()
        log = self.refused(config("http://127.0.0.1:1", listener=first.address()))
        self.assertIn(f"listener public: {first.address()}: the address is in use", log)

    def test_an_admin_port_in_use(self):
        first = self.gateway(config("http://127.0.0.1:1")).start()
        text = config("http://127.0.0.1:1").replace("admin: 127.0.0.1:0",
                                                    f"admin: {first.admin()}")
        self.assertIn(f"admin: {first.admin()}: the address is in use", self.refused(text))

    def test_a_path_in_use_and_one_left_behind(self):
        first = self.gateway(config("http://127.0.0.1:1", listener="unix:a.sock")).start()
        path = first.folder / "a.sock"
        text = config("http://127.0.0.1:1", listener=f"unix:{path}")
        self.assertIn("the address is in use", self.refused(text))
        first.end()  # killed: nobody takes the path away
        self.assertTrue(path.is_socket())
        second = self.gateway(text, "--workers", "2").start()
        connect(f"unix:{path}").close()
        self.assertEqual(second.terminate(), 0)

    def test_problems_of_the_file(self):
        log = self.refused("version: 1\nlisteners: { public: nowhere }\nroutes: [ { to: x } ]\n")
        self.assertIn("banyan.yaml:2:22: listeners.public", log)
        self.assertIn("banyan.yaml:3:11: routes[0].to: there is no service 'x'", log)

    def test_no_file(self):
        gateway = self.gateway(None)
        gateway.begin()
        self.assertEqual(gateway.await_exit(), 1)
        self.assertEqual(gateway.log(), "banyan.yaml: cannot read banyan.yaml; check that it "
                                        "exists and may be read\n")


if __name__ == "__main__":
    unittest.main()
