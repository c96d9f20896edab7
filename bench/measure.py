"""One round of one case for one proxy: a dictionary of figures, each with its unit in its name."""

import contextlib
import time

import load
from cases import MANY_ROUTES
from process import LOAD_CORE, PROXY_CORE, core_busy_ns
from proxies import Proxy

MEGA = 1_000_000
START_ROUNDS = 5  # starts are short and scatter: a round is their median
SETTLE_SECONDS = 0.3  # frees and pool trimming after the load, before memory is read


class Bench:
    """What all measurements share: the folder, the origin, the binary, the length of a load."""

    def __init__(self, folder, origin, banyan, seconds):
        self.folder, self.origin, self.banyan, self.seconds = folder, origin, banyan, seconds

    def start(self, name, **options):
        return Proxy(name, self.folder, self.origin.port, self.banyan, **options)

    def under_load(self, case, proxy, seconds, routes=0):
        """CPU of proxy and origin over one run of wrk, per completed request."""
        processes = (proxy.process, self.origin.process)
        cpu = [p.cpu_ns() for p in processes]
        cores = [core_busy_ns(PROXY_CORE), core_busy_ns(LOAD_CORE)]
        began = time.monotonic_ns()
        if case.protocol == "h2c":
            figures = load.h2load(proxy.port, case.path, case.connections, seconds)
        else:
            figures = load.wrk(proxy.port, case.path, case.connections, seconds, self.folder,
                               case.close, routes, "https" if case.protocol == "tls" else "http")
        wall = time.monotonic_ns() - began
        spent = [p.cpu_ns() - before for p, before in zip(processes, cpu)]
        busy = [core_busy_ns(PROXY_CORE) - cores[0], core_busy_ns(LOAD_CORE) - cores[1]]
        figures["cpu_us"] = spent[0] / 1e3 / figures["requests"]
        figures["origin_us"] = spent[1] / 1e3 / figures["requests"]
        figures["proxy_busy"] = spent[0] / wall
        figures["load_core_busy"] = busy[1] / wall
        figures["foreign"] = max(0.0, busy[0] - spent[0]) / wall  # others on the proxy's core
        return figures


def load_case(bench, case, stack):
    """Keep the proxy through all rounds: it is warm, as it would be in service."""
    return _warm_load(bench, case, stack, routes=0)


def routes_case(bench, case, stack):
    """The same requests, over 10,000 different paths, with one route and with 10,000."""
    def prepare(name):
        one = stack.enter_context(bench.start(name))
        many = stack.enter_context(bench.start(name, routes=MANY_ROUTES))
        for proxy in (one, many):
            bench.under_load(case, proxy, 1, MANY_ROUTES)

        def measure():
            base = bench.under_load(case, one, bench.seconds, MANY_ROUTES)
            figures = bench.under_load(case, many, bench.seconds, MANY_ROUTES)
            figures["cpu_us_one_route"] = base["cpu_us"]
            figures["self_ratio"] = figures["cpu_us"] / base["cpu_us"]
            return figures
        return measure
    return prepare


def start_case(bench, case, stack, routes=0):
    """From fork to the first 200, and the memory right after it."""
    del case, stack

    def prepare(name):
        def measure():
            starts = sorted(_start_once(bench, name, routes) for _ in range(START_ROUNDS))
            return {"first_answer_ms": starts[START_ROUNDS // 2][0],
                    "pss_mb": sorted(pss for _, pss in starts)[START_ROUNDS // 2]}
        return measure
    return prepare


def start_routes_case(bench, case, stack):
    return start_case(bench, case, stack, MANY_ROUTES)


def idle_case(bench, case, stack):
    """A fresh proxy each round: memory once grown is rarely given back."""
    del stack

    def prepare(name):
        def measure():
            with bench.start(name) as proxy:
                before = proxy.process.pss_bytes()
                with load.IdleConnections(proxy.port, case.path, case.connections) as clients:
                    time.sleep(SETTLE_SECONDS)
                    growth = proxy.process.pss_bytes() - before
                    held = clients.held()
            if held < case.connections:
                raise load.LoadFailed(f"{name} kept only {held} idle connections")
            return {"pss_growth_mb": growth / MEGA, "pss_start_mb": before / MEGA, "held": held}
        return measure
    return prepare


KINDS = {"load": load_case, "routes": routes_case, "start": start_case,
         "start_routes": start_routes_case, "idle": idle_case}


def run_case(bench, case, names, rounds, say):
    """Interleaved rounds (A B C A B C): {proxy: [figures of each round]}, and what failed."""
    results, failures = {}, {}
    with contextlib.ExitStack() as stack:
        prepare = KINDS[case.kind](bench, case, stack)
        measures = {}
        for name in names:
            _attempt(name, failures, say, lambda n=name: measures.update({n: prepare(n)}))
        for _ in range(rounds):
            for name in [n for n in measures if n not in failures]:
                figures = _attempt(name, failures, say, measures[name])
                if figures is not None:
                    results.setdefault(name, []).append(figures)
                    say(case, name, figures)
    for name in failures:  # half of the rounds would not be comparable
        results.pop(name, None)
    return results, failures


def _attempt(name, failures, say, action):
    """One proxy's failure must not cost the others their figures; it is reported, not hidden."""
    try:
        return action()
    except Exception as failure:  # whatever it was, the report names it
        failures[name] = f"{type(failure).__name__}: {failure}".strip()
        say(None, name, failures[name])
        return None


def _warm_load(bench, case, stack, routes):
    def prepare(name):
        proxy = stack.enter_context(bench.start(name, protocol=case.protocol))
        bench.under_load(case, proxy, 1, routes)
        return lambda: bench.under_load(case, proxy, bench.seconds, routes)
    return prepare


def _start_once(bench, name, routes):
    with bench.start(name, routes=routes, guard=False) as proxy:
        return proxy.first_answer_seconds * 1e3, proxy.process.pss_bytes() / MEGA
