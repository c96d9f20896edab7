"""Bulkheads in a running gateway: one limit over several workers, and the example."""

import concurrent.futures
import json
import unittest

from harness import ROOT, GatewayTest, ask, eventually
from origin import Origin

EXAMPLE = ROOT / "examples" / "bulkhead.yaml"
LIMIT = 5


def config(service, limit=LIMIT, more=""):
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ public: 127.0.0.1:0 }}
services:
  main: {{ endpoints: [{service}], bulkhead: {{ concurrency: {limit}{more} }} }}
  other: {{ endpoints: [{service}] }}
routes:
  - {{ to: main }}
  - {{ match: {{ path: /small }}, to: other }}
"""


class BulkheadsTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")
        self.pool = concurrent.futures.ThreadPoolExecutor(64)
        self.addCleanup(self.pool.shutdown)

    def bulkhead(self, gateway, name="main"):
        (one,) = [b for b in json.loads(ask(gateway.admin(), "/bulkheads")[2]) if b["name"] == name]
        return one

    def fill(self, gateway, many):
        """`many` calls at once, each with half of its content until the gate opens."""
        gate = self.origin.gate("held")
        self.addCleanup(gate.set)
        return gate, [self.pool.submit(ask, gateway.address(), "/gate/held") for _ in range(many)]

    def test_the_limit_is_one_for_all_workers_and_over_reloads(self):
        gateway = self.gateway(config(self.origin.url), "--workers", "4").start()
        gate, asked = self.fill(gateway, 6 * LIMIT)
        eventually(lambda: self.bulkhead(gateway)["refused"]["full"] == 5 * LIMIT, "the others refused")
        self.assertEqual(self.bulkhead(gateway)["in_flight"], LIMIT)
        self.assertEqual(ask(gateway.address(), "/small")[0], 200, "another service is well")
        gateway.write(config(self.origin.url, LIMIT + 2))
        gateway.reload()
        _, more = self.fill(gateway, 10)
        eventually(lambda: self.bulkhead(gateway)["in_flight"] == LIMIT + 2, "two more")
        eventually(lambda: sum(one.done() for one in more) == 8, "and no third")
        gate.set()
        status = [one.result() for one in asked + more]
        self.assertEqual(sum(s == 200 for s, _, _ in status), LIMIT + 2)
        for number, headers, _ in status:
            if number != 200:
                self.assertEqual(number, 503)
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        eventually(lambda: self.bulkhead(gateway)["in_flight"] == 0, "all places are home")
        self.assertEqual(gateway.terminate(), 0)

    def test_who_waits_gets_a_place_from_another_worker(self):
        more = ", queue: 40, wait: 60s"
        gateway = self.gateway(config(self.origin.url, 1, more), "--workers", "4").start()
        gate, asked = self.fill(gateway, 20)
        eventually(lambda: self.bulkhead(gateway)["queued"] == 19, "all others wait")
        gate.set()
        self.assertEqual({one.result()[0] for one in asked}, {200})
        seen = self.bulkhead(gateway)
        self.assertEqual((seen["admitted"], seen["waited"], seen["queued"]), (20, 19, 0))
        metrics = ask(gateway.admin(), "/metrics")[2].decode()
        self.assertIn('banyan_bulkhead_waited_total{of="service",name="main"} 19\n', metrics)

    def test_the_example(self):
        text = EXAMPLE.read_text()
        for port in ("9001", "9002", "9003", "9005", "9010"):
            text = text.replace(f"http://127.0.0.1:{port}", self.origin.url)
        for port in ("9901", "8080", "8081"):
            text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:0")
        gateway = self.gateway(text, "--workers", "2").start()
        for path in ("/products", "/products/1/reviews", "/stock", "/report", "/about"):
            for listener in ("public", "partners"):
                self.assertEqual(ask(gateway.address(listener), path)[0], 200, path)
        seen = {(b["of"], b["name"]): b for b in json.loads(ask(gateway.admin(), "/bulkheads")[2])}
        self.assertEqual(set(seen), {("service", "catalog"), ("service", "reviews"),
                                     ("service", "stock"), ("group", "legacy"), ("route", "report")})
        self.assertEqual(seen["group", "legacy"]["admitted"], 4)
        self.assertEqual(seen["route", "report"]["admitted"], 2)


if __name__ == "__main__":
    unittest.main()
