"""The acceptance table: what is measured, against whom, and what must be reached."""

import dataclasses

MANY_ROUTES = 10_000


@dataclasses.dataclass(frozen=True)
class Bound:
    """One line of the acceptance table. Smaller is better in all of them."""

    metric: str
    what: str
    must: float
    aim: float
    against: str = "nginx"  # a proxy: the ratio is bounded; "": the figure itself is


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    kind: str  # a function of measure.py
    bounds: tuple
    path: str = "/256"
    connections: int = 64
    close: bool = False
    protocol: str = "http"  # of the clients: http, tls (HTTP/1.1 over it), h2c (HTTP/2 in the clear)
    with_log: bool = False  # one more row: nginx with its access log on
    with_limit: bool = False  # one more row: a forwarder that only moves bytes

    def proxies(self, chosen):
        extra = ["nginx+log"] if self.with_log and "nginx" in chosen else []
        limit = ["bare"] if self.with_limit and "banyan" in chosen else []
        return list(chosen) + extra + limit


def _load(name, title, must, aim, **options):
    bound = Bound("cpu_us", "CPU a request, to nginx", must, aim)
    return Case(name, title, "load", (bound,), **options)


CASES = (
    _load("small-64", "256 B, keep-alive, 64 connections", 0.80, 0.65, with_log=True,
          with_limit=True),
    _load("small-256", "256 B, keep-alive, 256 connections", 0.80, 0.65, connections=256,
          with_limit=True),
    _load("small-1000", "256 B, keep-alive, 1000 connections", 0.75, 0.60, connections=1000,
          with_limit=True),
    _load("medium-64", "10 KiB, keep-alive, 64 connections", 0.85, 0.70, path="/10k"),
    _load("large-16", "1 MiB, keep-alive, 16 connections", 0.75, 0.60, path="/1m",
          connections=16),
    _load("close-64", "a new connection each request, 64 at once", 0.95, 0.80, close=True),
    _load("tls-64", "256 B over TLS 1.3, keep-alive, 64 connections", 0.80, 0.70, protocol="tls"),
    _load("tls-large-16", "1 MiB over TLS 1.3, keep-alive, 16 connections", 1.00, 0.90,
          path="/1m", connections=16, protocol="tls"),
    Case("tls-handshake", "a TLS 1.3 handshake (ECDSA P-256) each request, 64 at once", "load",
         (Bound("cpu_us", "CPU a request, to nginx", 1.00, 0.90),
          Bound("cpu_us", "CPU a request, to haproxy", 1.00, 0.90, "haproxy")),
         close=True, protocol="tls"),
    Case("http2-160", "256 B over HTTP/2, 16 connections of 10 streams", "load",
         (Bound("cpu_us", "CPU a request, to haproxy", 0.90, 0.75, "haproxy"),),
         connections=16, protocol="h2c"),
    Case("routes", "10,000 routes against 1 route, 256 B, 64 connections", "routes",
         (Bound("self_ratio", "CPU a request, to itself with 1 route", 1.05, 1.02, ""),)),
    Case("start", "start with one route", "start",
         (Bound("pss_mb", "Pss after the first answer, MB", 15, 8, ""),
          Bound("first_answer_ms", "start to first answer, to nginx", 2.0, 1.0))),
    Case("start-routes", "start with 10,000 routes", "start_routes",
         (Bound("first_answer_ms", "start to first answer, to nginx", 0.75, 0.30),)),
    Case("idle-10000", "10,000 idle keep-alive connections", "idle",
         (Bound("pss_growth_mb", "Pss over start, MB", 15, 8, ""),), connections=10_000),
)


def find(names):
    """The cases of those names; all of them for none."""
    known = {case.name: case for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else list(CASES)
