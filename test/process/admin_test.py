"""The admin pages of a running gateway."""

import contextlib
import json
import re
import unittest

from harness import Connection, GatewayTest, ask, eventually
from origin import Origin

TOKEN = "a-token-that-nobody-guesses"


def config(service, admin="127.0.0.1:0"):
    return f"""\
version: 1
admin: {admin}
listeners: {{ public: 127.0.0.1:0 }}
services:
  main: {{ endpoints: [{service}] }}
  down: {{ endpoints: [http://127.0.0.1:1] }}
routes:
  - {{ name: all, to: main }}
  - {{ name: tea, match: {{ path: /tea }}, respond: {{ status: 418 }} }}
  - {{ name: down, match: {{ path: /down }}, to: down }}
"""


class AdminTest(GatewayTest):
    def setUp(self):
        self.origin = Origin(self, "a")

    def start(self, workers=2, **changes):
        return self.gateway(config(self.origin.url, **changes), "--workers", str(workers)).start()

    def series(self, gateway):
        """{'name{labels}': value} of /metrics."""
        status, headers, text = ask(gateway.admin(), "/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        out = {}
        for line in text.decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                self.assertNotIn(name, out, "each series once")
                out[name] = float(value)
        return out

    def test_metrics_after_traffic(self):
        gateway = self.start()
        with contextlib.closing(Connection(gateway.address())) as client:
            for _ in range(3):
                self.assertEqual(client.ask("/small")[0], 200)
            self.assertEqual(client.ask("/upload", "POST", b"x" * 1000)[0], 200)
            self.assertEqual(client.ask("/tea")[0], 418)
            self.assertEqual(client.ask("/down")[0], 503)
            # An exchange is counted when its answer is out: the client may be a little earlier.
            down = 'banyan_requests_total{route="down",service="down",status="5xx"}'
            eventually(lambda: self.series(gateway).get(down) == 1, "the last one is counted")
            series = self.series(gateway)
            self.assertEqual(series['banyan_connections_active{listener="public"}'], 1)
        expected = {
            'banyan_requests_total{route="all",service="main",status="2xx"}': 4,
            'banyan_requests_total{route="tea",service="",status="4xx"}': 1,
            'banyan_request_bytes_total{route="all"}': 1000,
            'banyan_response_bytes_total{route="all"}': 3 + len("1000"),
            'banyan_request_duration_seconds_count{route="all"}': 4,
            'banyan_upstream_attempts_total{service="main"}': 4,
            'banyan_upstream_reused_total{service="main"}': 3,
            'banyan_errors_total{side="upstream",code="unavailable"}': 1,
            'banyan_connections_accepted_total{listener="public"}': 1,
            'banyan_reloads_total{result="ok"}': 0,
            'banyan_generation': 1,
        }
        self.assertEqual({name: series.get(name) for name in expected}, expected)
        self.assertRegex("\n".join(series), r"banyan_build_info\{version=")
        for name in ("process_open_fds", "process_resident_memory_bytes",
                     "process_cpu_seconds_total", 'banyan_loop_turn_max_seconds{worker="1"}'):
            self.assertGreater(series[name], 0)
        eventually(lambda: self.series(gateway)['banyan_connections_active{listener="public"}'] == 0,
                   "the client has gone")

    def test_metrics_of_reloads_and_counters_that_survive_them(self):
        gateway = self.start()
        ask(gateway.address(), "/small")
        counted = 'banyan_requests_total{route="all",service="main",status="2xx"}'
        eventually(lambda: self.series(gateway).get(counted) == 1, "it is counted")
        gateway.reload()
        good = gateway.file.read_text()
        gateway.write("bad: true")
        self.assertEqual(ask(gateway.admin(), "/reload", "POST")[0], 422)
        series = self.series(gateway)
        self.assertEqual(series['banyan_reloads_total{result="ok"}'], 1)
        self.assertEqual(series['banyan_reloads_total{result="failed"}'], 1)
        self.assertEqual(series["banyan_generation"], 2)
        self.assertEqual(series["banyan_last_reload_success"], 0)
        self.assertEqual(series[counted], 1)
        gateway.write(good)
        gateway.reload()
        self.assertEqual(self.series(gateway)["banyan_last_reload_success"], 1)

    def test_descriptors_do_not_grow_with_reloads(self):
        gateway = self.start()
        gateway.reload()
        before = self.series(gateway)["process_open_fds"]
        for i in range(20):
            gateway.write(config(self.origin.url).replace(
                "public: 127.0.0.1:0", f"public: 127.0.0.1:0, extra{i}: 127.0.0.1:0"))
            gateway.reload()
        gateway.write(config(self.origin.url))
        gateway.reload()
        eventually(lambda: self.series(gateway)["process_open_fds"] <= before, "all are closed")

    def test_pages(self):
        gateway = self.start()
        admin = gateway.admin()
        self.assertEqual(ask(admin, "/healthz")[2], b"ok\n")
        self.assertEqual(ask(admin, "/readyz")[2], b"ready\n")
        index = ask(admin, "/")[2].decode()
        for page in ("/healthz", "/readyz", "/metrics", "/config", "/stack", "/services", "/explain",
                     "/reload"):
            self.assertIn(page, index)
        stacks = json.loads(ask(admin, "/stack")[2])
        self.assertEqual([stack["route"] for stack in stacks], ["all", "tea", "down"])
        told = ask(admin, "/explain?method=GET&url=/tea")[2].decode()
        self.assertRegex(told, r"(?m)^route +tea \(banyan.yaml:9:5\)")
        self.assertEqual(ask(admin, "/explain?nonsense=1")[0], 400)

    def test_what_is_no_page_and_no_method(self):
        admin = self.start().admin()
        status, headers, _ = ask(admin, "/nope")
        self.assertEqual((status, headers["Content-Type"]), (404, "application/problem+json"))
        status, headers, _ = ask(admin, "/reload")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))
        status, headers, _ = ask(admin, "/config", "DELETE")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        status, headers, body = ask(admin, "/healthz", "HEAD")
        self.assertEqual((status, headers["Content-Length"], body), (200, "3", b""))

    def test_the_configuration_hides_secrets(self):
        gateway = self.gateway(config(self.origin.url, "{ address: 127.0.0.1:0, token: {file: t} }"))
        gateway.write(TOKEN, "t")
        gateway.start()
        status, _, told = ask(gateway.admin(), "/config", headers={"Authorization": f"Bearer {TOKEN}"})
        self.assertEqual(status, 200)
        self.assertIn(b"(hidden)", told)
        self.assertIn(self.origin.url.encode(), told)
        self.assertNotIn(TOKEN.encode(), told)
        self.assertNotIn(TOKEN, gateway.log())

    def test_the_token(self):
        gateway = self.start(admin=f"{{ address: 127.0.0.1:0, token: {TOKEN} }}")
        admin = gateway.admin()
        for page in ("/", "/healthz", "/readyz", "/metrics"):
            self.assertEqual(ask(admin, page)[0], 200, f"{page} is open")
        for given in ({}, {"Authorization": "Bearer x" + TOKEN[1:]}, {"Authorization": TOKEN},
                      {"Authorization": f"Basic {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}x"},
                      {"Authorization": "Bearer "}):
            for method, page in (("GET", "/config"), ("GET", "/stack"), ("POST", "/reload"),
                                 ("GET", "/services"), ("GET", "/explain?url=/")):
                status, headers, _ = ask(admin, page, method, headers=given)
                self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"), given)
        self.assertEqual(gateway.generation(), 1)
        good = {"Authorization": f"bearer {TOKEN}"}
        self.assertEqual(ask(admin, "/stack", headers=good)[0], 200)
        self.assertEqual(ask(admin, "/reload", "POST", headers=good)[0], 200)

    def test_a_reload_changes_the_token(self):
        gateway = self.start(admin=f"{{ address: 127.0.0.1:0, token: {TOKEN} }}")
        gateway.write(config(self.origin.url, "{ address: 127.0.0.1:0, token: another-token }"))
        old, new = ({"Authorization": f"Bearer {t}"} for t in (TOKEN, "another-token"))
        self.assertEqual(ask(gateway.admin(), "/reload", "POST", headers=new)[0], 401)
        self.assertEqual(ask(gateway.admin(), "/reload", "POST", headers=old)[0], 200)
        self.assertEqual(ask(gateway.admin(), "/config", headers=old)[0], 401)
        self.assertEqual(ask(gateway.admin(), "/config", headers=new)[0], 200)

    def test_pages_of_other_sites_may_not_reload(self):
        gateway = self.start()
        for given in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                      {"Origin": "https://evil.example"}, {"Origin": "null"},
                      {"Origin": "http://localhost:1"}):
            self.assertEqual(ask(gateway.admin(), "/reload", "POST", headers=given)[0], 403, given)
        self.assertEqual(gateway.generation(), 1)
        own = {"Sec-Fetch-Site": "same-origin", "Host": gateway.admin(),
               "Origin": f"http://{gateway.admin()}"}
        self.assertEqual(ask(gateway.admin(), "/reload", "POST", headers=own)[0], 200)

    def test_a_name_that_only_points_here_is_a_strangers(self):
        """DNS rebinding: to the browser such a page is of the same origin."""
        gateway = self.start()
        own = {"Host": "evil.example:80", "Origin": "http://evil.example:80",
               "Sec-Fetch-Site": "same-origin"}
        for method, page in (("POST", "/reload"), ("GET", "/config"), ("GET", "/stack")):
            self.assertIn(ask(gateway.admin(), page, method, headers=own)[0], (401, 403))
        for host in ("localhost", "127.0.0.1:9901", "[::1]:9901", "LOCALHOST:1"):
            self.assertEqual(ask(gateway.admin(), "/config", headers={"Host": host})[0], 200, host)
        self.assertEqual(ask(gateway.admin(), "/readyz", headers=own)[0], 200)

    def test_an_address_that_others_reach_wants_a_token(self):
        gateway = self.gateway(config(self.origin.url, "0.0.0.0:0"))
        gateway.begin()
        self.assertEqual(gateway.await_exit(), 1)
        self.assertIn("admin.token: is needed", gateway.log())

    def test_on_a_path(self):
        gateway = self.start(admin="unix:admin.sock")
        self.assertEqual(ask(gateway.admin(), "/readyz")[0], 200)
        self.assertEqual(ask(gateway.admin(), "/reload", "POST")[0], 200)
        self.assertEqual(gateway.terminate(), 0)
        self.assertFalse((gateway.folder / "admin.sock").exists())

    def test_many_scrapes_beside_reloads(self):
        gateway = self.start(4)
        for _ in range(30):
            self.assertGreater(len(self.series(gateway)), 10)
            self.assertEqual(ask(gateway.admin(), "/reload", "POST")[0], 200)
        self.assertEqual(len(re.findall("generation", gateway.log())), 31)


if __name__ == "__main__":
    unittest.main()
