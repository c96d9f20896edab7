"""The access log of a running gateway: one line an exchange, through rotation under load."""

import json
import os
import signal
import unittest

from harness import Connection, GatewayTest, ask, eventually
from load import Load, small
from origin import Origin


def config(service, more="access_log: access.jsonl"):
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ public: 127.0.0.1:0 }}
services: {{ main: {{ endpoints: [{service}] }} }}
routes: [ {{ name: all, to: main }} ]
offload: {{ {more} }}
"""


class AccessLogTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")

    def start(self, workers=2, **changes):
        return self.gateway(config(self.origin.url, **changes), "--workers", str(workers)).start()

    @staticmethod
    def lines(path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_rotation_under_load_loses_no_line(self):
        gateway = self.start()
        log = gateway.folder / "access.jsonl"
        rotations = 5
        with Load(gateway.address(), kinds=(small,)) as load:
            for i in range(rotations):
                load.await_more(50)
                log.rename(gateway.folder / f"access.{i}.jsonl")
                gateway.signal(signal.SIGUSR1)
                eventually(log.exists, "the log is opened again")
            load.await_more(50)
        self.assertEqual(load.failures, [])
        self.assertEqual(gateway.terminate(), 0)
        parts = [self.lines(gateway.folder / f"access.{i}.jsonl") for i in range(rotations)]
        parts.append(self.lines(log))
        self.assertEqual(sum(map(len, parts)), load.total())
        self.assertGreater(len(parts[-1]), 0, "the new file got the last lines")
        for line in parts[0] + parts[-1]:
            self.assertEqual((line["route"], line["status"], line["path"]), ("all", 200, "/small"))

    def test_a_rotated_file_gets_no_further_line(self):
        gateway = self.start(1)
        log = gateway.folder / "access.jsonl"
        ask(gateway.address(), "/before")
        eventually(lambda: len(self.lines(log)) == 1, "the line is there")
        log.rename(gateway.folder / "old.jsonl")
        gateway.signal(signal.SIGUSR1)
        eventually(log.exists, "the log is opened again")
        ask(gateway.address(), "/after")
        eventually(lambda: log.read_text().count("\n") == 1, "the line is there")
        self.assertEqual([line["path"] for line in self.lines(log)], ["/after"])
        self.assertEqual([line["path"] for line in self.lines(gateway.folder / "old.jsonl")],
                         ["/before"])

    def test_a_reload_opens_it_again_too(self):
        gateway = self.start()
        log = gateway.folder / "access.jsonl"
        log.rename(gateway.folder / "old.jsonl")
        gateway.reload()
        eventually(log.exists, "the log is opened again")

    def test_standard_output(self):
        gateway = self.start(more='access_log: "-"')
        for i in range(10):
            ask(gateway.address(), f"/{i}")
        self.assertEqual(gateway.terminate(), 0)
        self.assertEqual(sorted(line["path"] for line in self.lines(gateway.out_file)),
                         [f"/{i}" for i in range(10)])

    def test_a_log_that_cannot_be_opened_changes_nothing(self):
        gateway = self.start()
        gateway.write(config(self.origin.url, "access_log: nowhere/access.jsonl"))
        status, _, told = ask(gateway.admin(), "/reload", "POST")
        self.assertEqual(status, 422)
        self.assertIn(b"nowhere/access.jsonl", told)
        self.assertEqual(ask(gateway.address(), "/small")[0], 200)

    def test_what_is_cut_off_by_the_grace_is_logged(self):
        text = config(self.origin.url) + "shutdown: { grace: 200ms }\n"
        gateway = self.gateway(text, "--workers", "1").start()
        client = Connection(gateway.address())
        self.addCleanup(client.close)
        client.request("GET", "/gate/g")
        eventually(lambda: "g" in self.origin.waiting, "it is under way")
        self.assertEqual(gateway.terminate(), 0)
        (line,) = self.lines(gateway.folder / "access.jsonl")
        self.assertEqual((line["path"], line["error"]["side"]), ("/gate/g", "self"), line)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_a_full_disk_stops_no_request(self):
        gateway = self.start(more="access_log: /dev/full")
        with Load(gateway.address(), kinds=(small,)) as load:
            load.await_more(50)
        self.assertEqual(load.failures, [])
        gateway.await_log("/dev/full")


if __name__ == "__main__":
    unittest.main()
