"""Tests of the bench itself: python3 -m unittest discover -s bench -p '*_test.py'"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

import cases
import configs
import hop
import isolation
import load
import process
import proxies
import report
import run

WRK = """\
Running 2s test @ http://127.0.0.1:1/256
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   750.00us   80.00us   2.00ms   90.00%
  Latency Distribution
     50%  736.00us
     75%    0.90ms
     90%    1.00ms
     99%    1.08ms
  168283 requests in 2.00s, 50.00MB read
{extra}Requests/sec:  84141.50
"""


class ParseWrk(unittest.TestCase):
    def test_figures_come_in_microseconds(self):
        figures = load.parse_wrk(WRK.format(extra=""))
        self.assertEqual(figures["requests"], 168283)
        self.assertAlmostEqual(figures["rps"], 84141.5)
        self.assertAlmostEqual(figures["p50_us"], 736.0)
        self.assertAlmostEqual(figures["p99_us"], 1080.0)

    def test_seconds_and_minutes(self):
        text = WRK.format(extra="").replace("1.08ms", "1.50s").replace("in 2.00s", "in 1.50m")
        figures = load.parse_wrk(text)
        self.assertAlmostEqual(figures["p99_us"], 1.5e6)
        self.assertAlmostEqual(figures["rps"], 168283 / 90)

    def test_errors_are_never_averaged_away(self):
        for extra in ("  Non-2xx or 3xx responses: 3\n",
                      "  Socket errors: connect 0, read 1, write 0, timeout 0\n"):
            with self.subTest(extra), self.assertRaisesRegex(load.LoadFailed, extra.strip()):
                load.parse_wrk(WRK.format(extra=extra))

    def test_nothing_measured(self):
        for text in ("", "unable to connect", WRK.format(extra="").replace("168283", "0")):
            with self.subTest(text), self.assertRaises(load.LoadFailed):
                load.parse_wrk(text)


H2LOAD = """\
finished in 2.00s, 177132.23 req/s, 5.25MB/s
requests: 20000 total, 20010 started, 20000 done, 20000 succeeded, {failed} failed, {failed} errored, 0 timeout
status codes: {good} 2xx, 0 3xx, 0 4xx, {bad} 5xx
"""


class ParseH2load(unittest.TestCase):
    def test_figures(self):
        figures = load.parse_h2load(H2LOAD.format(failed=0, good=20003, bad=0))
        self.assertEqual(figures, {"requests": 20003, "rps": 177132.23})

    def test_errors_are_never_averaged_away(self):
        for text in (H2LOAD.format(failed=1, good=20000, bad=0),
                     H2LOAD.format(failed=0, good=20000, bad=2),
                     H2LOAD.format(failed=0, good=0, bad=0), "", "no connection"):
            with self.subTest(text), self.assertRaises(load.LoadFailed):
                load.parse_h2load(text)


def rounds(metric, *values, **more):
    return [{metric: value, **more} for value in values]


class Report(unittest.TestCase):
    bound = cases.Bound("cpu_us", "CPU", 0.80, 0.65)

    def test_the_ratio_is_taken_round_by_round(self):
        # The machine slows down threefold: each round still compares neighbours.
        results = {"banyan": rounds("cpu_us", 5, 10, 15), "nginx": rounds("cpu_us", 10, 20, 30)}
        self.assertEqual(report.value_of(self.bound, results), (0.5, 0.5, 0.5))

    def test_the_median_round_is_judged_with_its_spread(self):
        results = {"banyan": rounds("cpu_us", 6, 9, 7), "nginx": rounds("cpu_us", 10, 10, 10)}
        self.assertEqual(report.value_of(self.bound, results), (0.7, 0.6, 0.9))

    def test_an_absolute_bound_needs_no_other_proxy(self):
        bound = cases.Bound("pss_mb", "Pss", 15, 8, "")
        self.assertEqual(report.value_of(bound, {"banyan": rounds("pss_mb", 9, 7, 8)}), (8, 7, 9))

    def test_verdicts(self):
        for value, verdict in ((None, "not measured"), (0.65, "pass, aim"), (0.651, "pass"),
                               (0.80, "pass"), (0.801, "**FAIL**")):
            with self.subTest(value):
                self.assertEqual(report.judge(value, self.bound), verdict)

    def test_without_banyan_nothing_passes(self):
        value, _, _ = report.value_of(self.bound, {"nginx": rounds("cpu_us", 10)})
        self.assertEqual(report.judge(value, self.bound), "not measured")

    def test_noise_is_others_on_the_core_of_either_side(self):
        for mine, theirs, expected in ((0.0, 0.0, False), (0.05, 0.05, False), (0.2, 0.0, True),
                                       (0.0, 0.2, True)):
            results = {"banyan": rounds("foreign", mine), "nginx": rounds("foreign", theirs)}
            with self.subTest(mine=mine, theirs=theirs):
                self.assertIs(report.noisy(results), expected)

    def test_numbers(self):
        for value, text in ((None, "-"), (0.654, "0.65"), (12.345, "12.35"), (508.64, "508.6"),
                            (84141.5, "84,142")):
            with self.subTest(value):
                self.assertEqual(report.number(value), text)


def a_document():
    figures = {"rps": 50000.0, "p50_us": 700.0, "p99_us": 1000.0, "proxy_busy": 0.99,
               "foreign": 0.0}
    case = {"date": "2026-01-01 00:00 UTC", "commit": "abc", "seconds": 4, "repeat": 1,
            "rounds": {"banyan": rounds("cpu_us", 7.0, **figures),
                       "nginx": rounds("cpu_us", 10.0, **{**figures, "proxy_busy": 0.5})},
            "failures": {"haproxy": "NotReady: haproxy\nwhat it wrote"}}
    return {"machine": {"cores": 2}, "cases": {"small-64": case}}


class Document(unittest.TestCase):
    def test_the_page_keeps_everything_outside_the_markers(self):
        page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        once = report.into_docs(page, a_document())
        self.assertTrue(once.startswith(f"before\n{report.BEGIN}\n"))
        self.assertTrue(once.endswith(f"{report.END}\nafter\n"))
        self.assertNotIn("old", once)
        self.assertEqual(report.into_docs(once, a_document()), once)

    def test_a_page_without_markers_is_left_alone(self):
        for page in ("", report.BEGIN, report.END):
            with self.subTest(page), self.assertRaises(SystemExit):
                report.into_docs(page, a_document())

    def test_rows(self):
        text = report.markdown(a_document())
        self.assertIn("| small-64 | CPU a request, to nginx | 7.00 | 10 | - | 0.70 (0.70-0.70) "
                      "| - | 0.80 | 0.65 | pass |", text)
        self.assertIn("| small-64 | nginx | 50,000 * |", text)
        self.assertIn("| small-64 | banyan | 50,000 |", text)
        self.assertIn("- small-64, haproxy: NotReady: haproxy\n", text + "\n")

    def test_a_later_run_replaces_only_its_own_cases(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "out.json")
            run.keep(path, {"machine": {}, "cases": {"start": {"date": 1}, "close-64": {}}})
            run.keep(path, {"machine": {}, "cases": {"start": {"date": 2}}})
            self.assertEqual(json.loads(path.read_text())["cases"],
                             {"start": {"date": 2}, "close-64": {}})


class Table(unittest.TestCase):
    def test_names_are_unique_and_aims_below_musts(self):
        names = [case.name for case in cases.CASES]
        self.assertEqual(len(set(names)), len(names))
        for bound in (b for case in cases.CASES for b in case.bounds):
            self.assertLess(bound.aim, bound.must)

    def test_find(self):
        self.assertEqual([c.name for c in cases.find(["start", "small-64"])], ["start", "small-64"])
        self.assertEqual(cases.find([]), list(cases.CASES))
        with self.assertRaisesRegex(SystemExit, "no case nope"):
            cases.find(["nope"])


class Configs(unittest.TestCase):
    def test_routes(self):
        with tempfile.TemporaryDirectory() as folder:
            for make, needle in ((configs.nginx, "location /r"), (configs.banyan, 'path: "/r')):
                text = make(folder, 1, 2, 3, 500)
                self.assertEqual(text.count(needle), 500)
            configs.haproxy(folder, 1, 2, 3, 500)
            table = pathlib.Path(folder, "routes.map").read_text().splitlines()
            self.assertEqual(table[499], "/r499/ origin")

    def test_each_proxy_accepts_its_configuration(self):
        checks = {"nginx": (configs.nginx, ["nginx", "-t", "-q", "-c"]),
                  "haproxy": (configs.haproxy, ["haproxy", "-c", "-q", "-f"])}
        for name, (make, argv) in checks.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "conf")
                path.write_text(make(folder, proxies.free_port(), 0, 9, 3))
                done = subprocess.run(argv + [str(path)], capture_output=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr.decode())


class OriginAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.origin = proxies.Origin(cls.folder.name, "own")

    @classmethod
    def tearDownClass(cls):
        cls.origin.process.stop()
        cls.folder.cleanup()

    def exchange(self, *pieces):
        """Sends the pieces, each as a segment of its own, and reads to the end."""
        with socket.create_connection(("127.0.0.1", self.origin.port), 5) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                s.sendall(piece)
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(65536), b""))

    def get(self, name):
        return f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    def test_each_size(self):
        for name, size in (("256", 256), ("10k", 10240), ("r77/256", 256)):
            with self.subTest(name):
                head, _, body = self.exchange(self.get(name)).partition(b"\r\n\r\n")
                self.assertIn(f"Content-Length: {size}".encode(), head)
                self.assertEqual(body, b"x" * size)

    def test_a_large_answer_to_a_slow_reader_is_whole(self):
        with socket.create_connection(("127.0.0.1", self.origin.port), 5) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            s.sendall(self.get("1m"))
            received = b""
            while len(received.partition(b"\r\n\r\n")[2]) < 1 << 20:
                piece = s.recv(4096)
                self.assertTrue(piece, f"closed after {len(received)}")
                received += piece
            self.assertEqual(received.partition(b"\r\n\r\n")[2], b"x" * (1 << 20))

    def test_a_head_in_pieces_and_two_heads_at_once(self):
        whole = self.get("256")
        answer = self.exchange(whole)
        self.assertEqual(self.exchange(*(whole[i:i + 1] for i in range(len(whole)))), answer)
        self.assertEqual(self.exchange(whole + whole), answer * 2)

    def test_what_it_cannot_answer_closes(self):
        for request in (self.get("nope"), b"x" * 3000, b"\r\n\r\n"):
            with self.subTest(request[:20]):
                try:
                    self.assertEqual(self.exchange(request), b"")
                except (ConnectionResetError, BrokenPipeError, OSError) as closed:
                    self.assertIsInstance(closed, OSError)


class Hop(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            self.origin = proxies.Origin(folder, "own")
        self.addCleanup(self.origin.process.stop)

    def test_a_call_is_measured(self):
        figures = hop.ping(self.origin.port, 1)
        self.assertGreater(figures["requests"], 100)
        self.assertLess(0, figures["p50_us"])
        self.assertLessEqual(figures["p50_us"], figures["p99_us"])

    def test_what_is_no_answer_is_no_figure(self):
        for address in (proxies.free_port(), "unix:/nowhere.sock", "unix:/" + 200 * "x"):
            with self.subTest(address), self.assertRaises(load.LoadFailed):
                hop.ping(address, 1)

    def test_it_is_told_beside_the_same_hop_of_the_other(self):
        results = {"direct": rounds("p50_us", 10, 12),
                   "banyan, TCP": rounds("added_p50_us", 50, 60, cpu_us=20),
                   "haproxy, TCP": rounds("added_p50_us", 100, 100, cpu_us=40)}
        self.assertEqual(hop.to_haproxy(results, "banyan, TCP"), "0.55 / 0.50")
        self.assertEqual(hop.to_haproxy(results, "haproxy, TCP"), "-")


class Isolation(unittest.TestCase):
    def setUp(self):
        self.ports = [proxies.free_port() for _ in range(3)]
        argv = [str(proxies.compiled("isolation/service.cc")), *map(str, self.ports)]
        self.service = process.Process(argv, process.LOAD_CORE)
        self.addCleanup(self.service.stop)
        proxies.wait_until_answers(self.service, self.ports[0], "/x")

    def ask(self, port, timeout=10):
        s = socket.create_connection(("127.0.0.1", port), timeout)
        self.addCleanup(s.close)
        s.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        return s

    def test_the_shared_service_works_on_eight_at_a_time(self):
        asked = [self.ask(self.ports[1])]
        asked[0].recv(1000)  # so that all of them come in one go
        asked = [self.ask(self.ports[1]) for _ in range(9)]
        self.assertTrue(asked[8].recv(1000).endswith(b"ok"))
        for one in asked[:8]:
            one.setblocking(False)
            self.assertTrue(one.recv(1000).endswith(b"ok"), "those before it have their answers")

    def test_the_one_that_hangs_does(self):
        with self.assertRaises(TimeoutError):
            self.ask(self.ports[2], 0.3).recv(1)

    def test_each_group_is_told(self):
        found = isolation.call(self.ports[0], 1, ("steady:calm:/x:a:50", "flood:wild:/x:b:4:10"))
        self.assertEqual(found["calm"]["ok"], found["calm"]["sent"])
        self.assertIn(found["calm"]["sent"], range(45, 52))
        self.assertGreater(found["wild"]["ok"], 4)
        self.assertLessEqual(found["calm"]["p50_us"], found["calm"]["p99_us"])

    def test_its_words_are_read(self):
        parsed = isolation.parse("a sent 10 ok 3 p50_us 1 p99_us 2\nnonsense\n")
        self.assertEqual(parsed, {"a": {"sent": 10, "ok": 3, "p50_us": 1, "p99_us": 2}})

    def test_what_is_compared(self):
        one = {"sent": 100, "ok": 100, "p50_us": 1000, "p99_us": 2000}
        quiet = {"good": one, "tenant": one}
        trouble = {"good": one, "tenant": {**one, "ok": 50, "p99_us": 3000},
                   "flood": {**one, "ok": 10}}
        found = isolation.compare(quiet, trouble)
        self.assertEqual(found["tenant"], {"p99_quiet_ms": 2, "p99_ms": 3, "ratio": 1.5, "ok": 0.5})
        missed = isolation.verdict({"banyan": [found]})
        self.assertEqual(missed, ["tenant: p99 1.50 of the quiet run, must be 1.1",
                                  "tenant: 50.0 % answered"])
        self.assertIn("| 1.50 (1.50-1.50) | 50.0 % | 5 |",
                      isolation.report.table(isolation.HEAD, [isolation.row("a", [found], 2)]))

    def test_the_configurations_are_what_the_gateways_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "conf")
            port = proxies.free_port()
            for text, argv in (
                    (isolation.nginx_config(folder, port, self.ports), ["nginx", "-t", "-e", "stderr", "-c"]),
                    (isolation.haproxy_config(port, self.ports), ["haproxy", "-c", "-f"]),
                    (isolation.banyan_config(port, self.ports),
                     [str(proxies.ROOT / "build/banyan"), "check", "-c"]),
                    (isolation.banyan_config(port, self.ports, bulkheads=False),
                     [str(proxies.ROOT / "build/banyan"), "check", "-c"])):
                if shutil.which(argv[0]) is None:
                    continue  # CI has neither nginx nor haproxy
                path.write_text(text)
                done = subprocess.run([*argv, str(path)], capture_output=True, text=True,
                                      timeout=30, check=False)
                self.assertEqual(done.returncode, 0, (argv, done.stdout, done.stderr))


class Processes(unittest.TestCase):
    def test_a_tree_is_measured_and_ended_whole(self):
        script = "sleep 60 & i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo; wait"
        with process.Process(["sh", "-c", script], process.LOAD_CORE,
                             log=subprocess.PIPE) as shell:
            shell.child.stdout.readline()  # the loop is over
            family = shell.pids()
            self.assertEqual(len(family), 2)
            self.assertGreater(shell.cpu_ns(), 1_000_000)
            self.assertGreater(shell.pss_bytes(), 10_000)
            self.assertEqual(os.sched_getaffinity(family[1]), {process.LOAD_CORE})
        self.assertFalse(shell.running())
        for pid in family:
            self.assertNotIn("sleep", process.read(f"/proc/{pid}/cmdline"))
        shell.child.stdout.close()

    def test_a_proxy_that_never_answers_is_reported_with_its_words(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = pathlib.Path(folder, "banyan")
            binary.write_text('#!/bin/sh\necho "$1 $2: unknown key at $3:3:1"; exit 1\n')
            binary.chmod(0o755)
            with self.assertRaisesRegex(proxies.NotReady,
                                        r"run -c: unknown key at .*/proxy\.conf:3:1"):
                proxies.Proxy("banyan", folder, 1, str(binary))


if __name__ == "__main__":
    unittest.main()
