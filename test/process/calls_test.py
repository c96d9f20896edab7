"""Policies on calls (retry, hedge, deadline, context) in a running gateway with several workers."""

import concurrent.futures
import unittest

from harness import GatewayTest, ask
from origin import Origin

FLOOR = 10


def config(service, floor=FLOOR):
    return f"""\
version: 1
admin: 127.0.0.1:0
listeners: {{ public: 127.0.0.1:0 }}
services:
  main:
    endpoints: [{service}]
    timeout: {{ request: 30s }}
    retry: {{ attempts: 3, backoff: 1ms, budget: 0%, budget_floor: {floor} }}
    hedge: {{ after: 20ms }}
    deadline: {{ max: 10s, trust: true }}
    context: {{ accept: true, answer: true }}
routes: [ {{ name: all, to: main }} ]
"""


class CallsTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")

    def start(self, **changes):
        return self.gateway(config(self.origin.url, **changes), "--workers", "3").start()

    def ask_many(self, gateway, many, *arguments):
        """Each on a connection of its own, so that all workers have some."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, gateway.address(), *arguments) for _ in range(many)]
            return [one.result() for one in asked]

    def metric(self, gateway, name):
        for line in ask(gateway.admin(), "/metrics")[2].decode().splitlines():
            if line.startswith(name + " "):
                return int(line.rpartition(" ")[2])
        return 0

    def test_the_budget_is_one_for_all_workers_and_over_reloads(self):
        # A window may end in the middle; then there is the floor once more.
        gateway = self.start(floor=FLOOR)
        answers = self.ask_many(gateway, 30, "/busy")
        gateway.reload()
        answers += self.ask_many(gateway, 30, "/busy")
        self.assertEqual({status for status, _, _ in answers}, {503})
        again = self.origin.requests["/busy"] - len(answers)
        self.assertGreaterEqual(again, FLOOR)
        self.assertLessEqual(again, 3 * FLOOR)
        failed = 'banyan_retries_total{service="main",result="failed"}'
        spent = 'banyan_retries_refused_total{service="main",reason="budget"}'
        self.assertEqual(self.metric(gateway, failed), again)
        self.assertGreater(self.metric(gateway, spent), 0)

    def test_a_post_is_sent_once_and_the_answer_says_why(self):
        gateway = self.start()
        status, headers, body = ask(gateway.address(), "/busy", "POST", b"order 7")
        self.assertEqual((status, body), (503, b"busy"))
        self.assertEqual(self.origin.requests, {"/busy": 1})
        self.assertEqual(headers["Banyan-Attempts"], "1")
        self.assertIn("may have been processed", headers["Banyan-Reason"])
        self.assertEqual("http://" + headers["Banyan-Served-By"], self.origin.url)
        key = {"Idempotency-Key": "k1"}
        headers = ask(gateway.address(), "/busy", "POST", b"order 8", key)[1]
        self.assertEqual(headers["Banyan-Attempts"], "3")

    def test_the_deadline_of_the_caller(self):
        gateway = self.start()
        headers = {"Banyan-Timeout": "1us", "Banyan-Hedge": "off"}
        status, headers, body = ask(gateway.address(), "/any", headers=headers)
        self.assertEqual(status, 504)
        self.assertIn(b"deadline", body)
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.assertEqual(ask(gateway.address(), "/any", headers={"Banyan-Timeout": "9s"})[0], 200)

    def test_layers_are_shown_with_their_reasons(self):
        gateway = self.start()
        stack = ask(gateway.admin(), "/stack")[2].decode()
        roles = ["deadline", "context", "budget", "hedge", "retry", "time left"]
        at = [stack.index(f'"{role}"') for role in roles]
        self.assertEqual(at, sorted(at))


if __name__ == "__main__":
    unittest.main()
