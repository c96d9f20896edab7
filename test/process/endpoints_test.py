"""Which endpoints get requests, in a running gateway: the example of the ambassador, with origins
of the test behind it."""

import json
import unittest

from harness import ROOT, GatewayTest, ask, banyan, eventually
from origin import Origin

EXAMPLE = ROOT / "examples" / "ambassador.yaml"


class EndpointsTest(GatewayTest):
    def setUp(self):
        self.origins = {name: Origin(self, name) for name in ("a", "b", "stock")}

    def config(self):
        """The example, a little faster, on ports of the kernel's choice and of the origins."""
        text = EXAMPLE.read_text()
        for port, name in (("9001", "a"), ("9002", "b"), ("9005", "stock")):
            text = text.replace(f"http://127.0.0.1:{port}", self.origins[name].url)
        text = text.replace("127.0.0.1:9099", "127.0.0.1:1").replace("interval: 2s", "interval: 1s")
        for port in ("9901", "8080", "7001", "7002", "3128"):
            text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:0")
        return text

    def start(self, workers=2):
        return self.gateway(self.config(), "--workers", str(workers)).start()

    def services(self, gateway):
        status, headers, body = ask(gateway.admin(), "/services")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        return {service["service"]: service for service in json.loads(body)}

    def endpoints(self, gateway, service, url):
        """The endpoint as each worker sees it."""
        name = url.removeprefix("http://")
        workers = self.services(gateway)[service]["workers"]
        return [e for w in workers for e in w["endpoints"] if e["endpoint"] == name]

    def metric(self, gateway, series):
        text = ask(gateway.admin(), "/metrics")[2].decode()
        found = [line for line in text.splitlines() if line.startswith(series + " ")]
        return float(found[0].split()[-1]) if found else None

    def test_all_is_well(self):
        gateway = self.start()
        services = self.services(gateway)
        self.assertEqual(set(services),
                         {"catalog", "by-user", "by-tenant", "orders", "stock", "down"})
        for name in ("catalog", "stock"):
            workers = services[name]["workers"]
            self.assertEqual([w["worker"] for w in workers], [0, 1])
            for endpoint in (e for w in workers for e in w["endpoints"]):
                self.assertTrue(endpoint["used"] and endpoint["healthy"], endpoint)
        self.assertEqual(services["stock"]["breaker"]["state"], "closed")
        self.assertNotIn("breaker", services["catalog"])
        self.assertEqual({ask(gateway.address(), "/products")[0] for _ in range(8)}, {200})

    def test_the_local_addresses(self):
        gateway = self.start()
        self.assertIn(ask(gateway.address("catalog"), "/whatever/path")[2], (b"a", b"b"))
        self.assertEqual(ask(gateway.address("stock"), "/products")[2], b"stock")
        self.assertIn(ask(gateway.address("out"), "http://catalog/products")[2], (b"a", b"b"))
        self.assertEqual(ask(gateway.address("out"), "http://stock/products")[0], 403)

    def test_calls_go_well_although_one_has_died_and_tell_who_answered(self):
        gateway = self.start()
        self.origins["b"].stop()
        name = self.origins["a"].url.removeprefix("http://")
        for _ in range(8):
            status, headers, body = ask(gateway.address(), "/again")
            self.assertEqual((status, body, headers["Banyan-Served-By"]), (200, b"a", name))

    def test_one_that_died_is_found_by_every_worker_and_used_no_more(self):
        gateway = self.start()
        url = self.origins["b"].url
        self.origins["b"].stop()

        def found():
            seen = self.endpoints(gateway, "catalog", url)
            return len(seen) == 2 and not any(e["healthy"] or e["used"] for e in seen)
        eventually(found, lambda: f"both found it: {self.endpoints(gateway, 'catalog', url)}")
        self.assertEqual({ask(gateway.address(), "/products")[2] for _ in range(20)}, {b"a"})
        name = url.removeprefix("http://")
        series = f'banyan_endpoint_healthy{{service="catalog",endpoint="{name}"}}'
        self.assertEqual(self.metric(gateway, series), 0)
        other = self.origins["a"].url.removeprefix("http://")
        self.assertEqual(self.metric(gateway, series.replace(name, other)), 2)
        # Checks go on while a new configuration comes, and end with the old one.
        gateway.reload()
        self.assertFalse(any(e["used"] for e in self.endpoints(gateway, "catalog", url)))

    def test_the_breaker_is_one_for_all_workers_and_outlives_a_reload(self):
        gateway = self.start(workers=4)
        answers = [ask(gateway.address(), "/down") for _ in range(12)]
        self.assertEqual({status for status, _, _ in answers}, {503})
        opened = [b"breaker is open" in body for _, _, body in answers]
        self.assertEqual(opened, [False] * 3 + [True] * 9, "exactly after three, whoever served")
        wait = int(answers[-1][1]["Retry-After"])
        self.assertTrue(0 < wait <= 30, wait)
        self.assertEqual(self.metric(gateway, 'banyan_breaker_state{service="down"}'), 2)
        self.assertEqual(self.metric(gateway, 'banyan_breaker_refused_total{service="down"}'), 9)
        gateway.reload()
        self.assertIn(b"breaker is open", ask(gateway.address(), "/down")[2])
        self.assertEqual(self.services(gateway)["down"]["breaker"]["refused"], 10)

    def test_users_and_tenants_stay_where_they_are(self):
        gateway = self.start(workers=4)
        for path, field in (("/users", "x-user"), ("/tenants", "x-tenant")):
            of = {}
            for key in (f"key-{i}" for i in range(16)):
                got = {ask(gateway.address(), path, headers={field: key})[2] for _ in range(4)}
                self.assertEqual(len(got), 1, f"{path} {key}: on every worker the same")
                of[key] = got.pop()
            self.assertEqual(set(of.values()), {b"a", b"b"}, path)
            if path == "/tenants":
                self.assert_explained(gateway, of)

    def assert_explained(self, gateway, of):
        for key, name in list(of.items())[:3]:
            told = banyan("explain", "-c", str(gateway.file), "GET", "/tenants", "-H",
                          f"x-tenant: {key}")
            self.assertEqual(told.returncode, 0, told.stderr)
            url = self.origins[name.decode()].url.removeprefix("http://")
            self.assertIn(f"with header:x-tenant '{key}': {url}\n", told.stdout)
            self.assertIn("50.0% of the others lose one or more, 50.0% lose all", told.stdout)

    def test_checks_do_not_hold_up_the_end(self):
        gateway = self.start()
        self.assertEqual(gateway.terminate(), 0)
        self.assertIn("stopped", gateway.log())


if __name__ == "__main__":
    unittest.main()
