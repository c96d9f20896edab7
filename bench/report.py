"""From rounds to medians, ratios, verdicts and Markdown. No figure is ever typed by hand."""

import statistics

from cases import CASES

BEGIN = "<!-- bench:begin (written by bench/run.py --docs) -->"
END = "<!-- bench:end -->"
BASE = ("banyan", "nginx", "haproxy")
FOREIGN_MAX = 0.05  # of the proxy's core; ksoftirqd alone takes up to 0.03
BUSY_MIN = 0.95


def median(rounds, metric):
    values = [r[metric] for r in rounds if metric in r]
    return statistics.median(values) if values else None


def ratios(mine, theirs, metric):
    """Round by round: neighbours in time, so that a slow minute slows both."""
    return [a[metric] / b[metric] for a, b in zip(mine, theirs) if metric in a and b.get(metric)]


def noisy(results, proxies=("banyan", "nginx")):
    """Whether others (a build, say) took the proxy's core: then the round wants repeating."""
    taken = [median(results.get(p, []), "foreign") for p in proxies]
    return max([t for t in taken if t is not None], default=0.0) > FOREIGN_MAX


def judge(value, bound):
    if value is None:
        return "not measured"
    return "pass, aim" if value <= bound.aim else "pass" if value <= bound.must else "**FAIL**"


def value_of(bound, results, proxy="banyan"):
    """The figure that is judged, and its spread over the rounds."""
    mine = results.get(proxy, [])
    values = (ratios(mine, results.get(bound.against, []), bound.metric) if bound.against
              else [r[bound.metric] for r in mine])
    return (statistics.median(values), min(values), max(values)) if values else (None,) * 3


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def acceptance(document):
    """One row a bound: the medians, the judged figure with its spread, the verdict."""
    rows = []
    for case in CASES:
        results = document["cases"].get(case.name, {}).get("rounds")
        if results is None:
            continue
        for bound in case.bounds:
            value, low, high = value_of(bound, results)
            other = ratios(results.get("banyan", []), results.get("haproxy", []), bound.metric)
            medians = [number(median(results.get(p, []), bound.metric)) for p in BASE]
            judged = "-" if value is None else f"{value:.2f} ({low:.2f}-{high:.2f})"
            rows.append([case.name, bound.what, *medians, judged,
                         number(statistics.median(other) if other else None),
                         number(bound.must), number(bound.aim),
                         judge(value, bound) + (", noisy" if noisy(results) else "")])
    return table(["case", "bound", *BASE, "judged (spread)", "to haproxy", "must", "aim",
                  "verdict"], rows)


LOAD = (("requests/s", "rps"), ("CPU us/request", "cpu_us"), ("p50 us", "p50_us"),
        ("p99 us", "p99_us"))


def load_row(case, proxy, results):
    rounds = results[proxy]
    cells = [number(median(rounds, metric)) for _, metric in LOAD]
    # The proxy did not fill its core: requests/s is then the load's figure, and only CPU compares.
    if median(rounds, "proxy_busy") < BUSY_MIN:
        cells[0] += " *"
    to = [ratios(rounds, results.get(base, []), "cpu_us") for base in ("nginx", "haproxy")]
    cells += [number(statistics.median(r)) if r else "-" for r in to]
    cells += [f"{100 * median(rounds, m):.0f}%" for m in ("proxy_busy", "foreign")]
    return [case, proxy, *cells]


def loads(document):
    rows = []
    for case in CASES:
        results = document["cases"].get(case.name, {}).get("rounds", {})
        rows += [load_row(case.name, proxy, results) for proxy in results
                 if results[proxy] and "rps" in results[proxy][0]]
    return table(["case", "proxy", *(title for title, _ in LOAD), "CPU to nginx",
                  "CPU to haproxy", "core busy", "others on core"], rows)


def provenance(document):
    """Cases may come from different runs: each says when, at which commit, how long."""
    rows = [[name, data["date"], data["commit"], f"{data['repeat']} x {data['seconds']} s"]
            for name, data in document["cases"].items()]
    failed = [f"- {name}, {proxy}: {why.splitlines()[0]}"
              for name, data in document["cases"].items()
              for proxy, why in data["failures"].items()]
    text = table(["case", "measured", "commit", "rounds"], rows)
    return text + ("\n\nNot measured because it failed:\n\n" + "\n".join(failed) if failed else "")


def markdown(document):
    machine = ", ".join(f"{k} {v}" for k, v in document["machine"].items())
    return "\n\n".join([
        f"Machine: {machine}.",
        "Medians over the rounds. The judged figure is the median of the ratios of neighbouring "
        "rounds, with the smallest and the largest.",
        acceptance(document), loads(document),
        "`*`: the proxy did not fill its core (the load core or other work was the limit), so "
        "requests/s and latency are not its own; CPU a request is. `noisy`: others took more "
        f"than {FOREIGN_MAX:.0%} of the proxy's core.", provenance(document)])


def into_docs(page, document):
    """The page with everything between the markers replaced."""
    return between(page, BEGIN, END, markdown(document))


def between(page, begin, end, text):
    """The page with what is between its two markers replaced."""
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise SystemExit("the page lacks the bench markers")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
