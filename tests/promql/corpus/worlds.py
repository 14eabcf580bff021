"""Worlds of series: small, and made to hit edges. Times are milliseconds, values floats or "stale"."""

import math
import random

BASE = 1_600_000_000_000
MINUTE = 60_000

Sample = tuple[int, str]
Series = dict[str, object]


def text(value: float | str) -> str:
    """A value as both sides read it."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def series(name: str, samples: list[tuple[int, float | str]], **labels: str) -> Series:
    return {"labels": {"__name__": name, **labels}, "samples": [[at, text(value)] for at, value in samples]}


def regular(
    values: list[float | str | None], *, start: int = BASE, every: int = 15_000
) -> list[tuple[int, float | str]]:
    """One sample every *every* ms; None leaves a gap."""
    return [(start + index * every, value) for index, value in enumerate(values) if value is not None]


def counters() -> list[Series]:
    """30 minutes of counters: resets, gaps, late starts, early ends, staleness, jitter."""
    dice = random.Random(1)
    made = []
    for job in ("api", "web"):
        for instance in ("a", "b", "c"):
            for code in ("200", "404", "500"):
                total = float(dice.randint(0, 50))
                samples: list[tuple[int, float | str]] = []
                for tick in range(120):
                    total += dice.choice([0, 1, 1, 2, 5, 40])
                    if instance == "b" and dice.random() < 0.04:
                        total = float(dice.randint(0, 3))
                    if instance == "c" and (tick < 20 or 60 < tick < 75):
                        continue
                    if job == "web" and code == "404" and tick > 90:
                        break
                    jitter = dice.randint(-400, 400) if job == "web" else 0
                    samples.append((BASE + tick * 15_000 + jitter, total))
                if job == "web" and code == "404":
                    samples.append((samples[-1][0] + 15_000, "stale"))
                made.append(series("requests_total", samples, job=job, instance=instance, code=code))
    return made


def gauges() -> list[Series]:
    """Gauges with ordinary, special, huge and tiny values."""
    dice = random.Random(2)
    walks = {
        "walk": [round(dice.gauss(0, 10), 3) for _ in range(80)],
        "ramp": [float(i) * 1.5 - 30 for i in range(80)],
        "flat": [7.0] * 80,
        "nan": [math.nan if i % 7 == 3 else float(i) for i in range(80)],
        "allnan": [math.nan] * 80,
        "inf": [math.inf if i % 11 == 5 else float(-i) for i in range(80)],
        "neginf": [-math.inf if i % 13 == 5 else float(i) for i in range(80)],
        "bothinf": [math.inf if i % 2 else -math.inf for i in range(80)],
        "flatinf": [math.inf] * 80,
        "huge": [1.7e308 if i % 3 else -1.0e308 for i in range(80)],
        "hugesum": [1.2e308] * 80,
        "tiny": [1e-300 * (i % 4) for i in range(80)],
        "zero": [0.0 if i % 2 else -0.0 for i in range(80)],
        "cancel": [1e16 if i % 4 == 0 else (-1e16 if i % 4 == 2 else 1.0) for i in range(80)],
        "gaps": [float(i) if i % 9 < 4 else None for i in range(80)],
        "stops": [float(i) if i < 30 else ("stale" if i == 30 else None) for i in range(80)],
        "returns": [float(i) if i < 20 or i > 50 else ("stale" if i == 20 else None) for i in range(80)],
        "once": [3.25 if i == 40 else None for i in range(80)],
        "twice": [4.5 if i in (39, 41) else None for i in range(80)],
    }
    made = [
        series("gauge", regular(values), shape=shape, half=str(i % 2))
        for i, (shape, values) in enumerate(walks.items())
    ]
    made.append(series("smooth", regular([math.sin(i / 9) for i in range(80)]), shape="sine", half="0"))
    made.append(series("smooth", regular([math.exp(i / 20) for i in range(80)]), shape="exp", half="1"))
    made.append(series("parts", regular([i / 80 * 2 - 1 for i in range(80)]), shape="unit", half="0"))
    made.append(
        series("clock", regular([float(BASE // 1000 + i * 86_400 * 17) for i in range(80)]), zone="future")
    )
    made.append(series("clock", regular([float(-i * 86_400 * 29 - 12_345) for i in range(80)]), zone="past"))
    made.append(series("clock", regular([951_782_400.0 + i * 3_599.5 for i in range(80)]), zone="leap"))
    return made


def buckets() -> list[Series]:
    """Classic histograms, good and broken."""
    dice = random.Random(3)
    made: list[Series] = []

    def histogram(name: str, kind: str, bounds: list[str], grow: list[float], ticks: int = 40) -> None:
        totals = [0.0] * len(bounds)
        rows: list[list[float | str | None]] = [[] for _ in bounds]
        for _ in range(ticks):
            running = 0.0
            for index, most in enumerate(grow):
                running += dice.randint(0, int(most)) if most >= 1 else most
                totals[index] += running
                rows[index].append(totals[index])
        for bound, values in zip(bounds, rows, strict=True):
            made.append(series(name, regular(values), kind=kind, le=bound))

    histogram("latency_bucket", "good", ["0.1", "0.5", "1", "5", "+Inf"], [3, 5, 9, 4, 1])
    histogram("latency_bucket", "other", ["0.1", "0.5", "1", "5", "+Inf"], [30, 5, 2, 1, 0.5])
    histogram("latency_bucket", "negative", ["-5", "-1", "0", "2", "+Inf"], [3, 5, 9, 4, 1])
    histogram("latency_bucket", "allnegative", ["-9", "-5", "-1", "+Inf"], [3, 5, 9, 4])
    histogram("latency_bucket", "noinf", ["0.1", "0.5", "1"], [3, 5, 9])
    histogram("latency_bucket", "onlyinf", ["+Inf"], [9])
    histogram("latency_bucket", "two", ["1", "+Inf"], [9, 2])
    histogram("latency_bucket", "twins", ["1", "1.0", "2", "+Inf"], [9, 2, 4, 1])
    histogram("latency_bucket", "broken", ["x", "0.5", "", "+Inf", "NaN", "1e1"], [9, 2, 4, 1, 3, 4])
    histogram("latency_bucket", "fine", ["0.1", "0.2", "0.30000000000000004", "Inf"], [0.1, 0.2, 0.3, 0.1])
    made.append(series("latency_bucket", regular([5.0] * 40), kind="falling", le="1"))
    made.append(series("latency_bucket", regular([3.0] * 40), kind="falling", le="2"))
    made.append(series("latency_bucket", regular([9.0] * 40), kind="falling", le="3"))
    made.append(series("latency_bucket", regular([8.0] * 40), kind="falling", le="+Inf"))
    made.append(series("latency_bucket", regular([0.0] * 40), kind="empty", le="1"))
    made.append(series("latency_bucket", regular([0.0] * 40), kind="empty", le="+Inf"))
    made.append(series("latency_bucket", regular([math.nan] * 40), kind="nan", le="1"))
    made.append(series("latency_bucket", regular([math.nan] * 40), kind="nan", le="+Inf"))
    made.append(series("latency_bucket", regular([4.0] * 40), kind="halfnan", le="1"))
    made.append(series("latency_bucket", regular([math.nan] * 40), kind="halfnan", le="2"))
    made.append(series("latency_bucket", regular([8.0] * 40), kind="halfnan", le="+Inf"))
    made.append(series("latency_bucket", regular([100.0] * 40), kind="almost", le="1"))
    made.append(series("latency_bucket", regular([100.0 - 1e-11] * 40), kind="almost", le="2"))
    made.append(series("latency_bucket", regular([100.0 + 1e-11] * 40), kind="almost", le="+Inf"))
    return made


def edges() -> list[Series]:
    """Samples exactly on and one millisecond off the borders of windows and lookback."""
    minute = MINUTE
    made = [
        series("edge", [(BASE + i * minute, float(i)) for i in range(12)], at="minutes"),
        series("edge", [(BASE + i * minute + 1, float(i)) for i in range(12)], at="late"),
        series("edge", [(BASE + i * minute - 1, float(i)) for i in range(12)], at="early"),
        series("edge", [(BASE, 1.0)], at="single"),
        series("edge", [(BASE + 5 * minute, 5.0), (BASE + 5 * minute + 1, 6.0)], at="pair"),
        series("edge", [(BASE, 1.0), (BASE + 6 * minute, 2.0), (BASE + 12 * minute, 3.0)], at="sparse"),
        series(
            "edge",
            [(BASE, 1.0), (BASE + minute, "stale"), (BASE + 2 * minute, 3.0), (BASE + 3 * minute, "stale")],
            at="blinking",
        ),
        series("edge", [(BASE, "stale"), (BASE + minute, "stale")], at="never"),
        series(
            "edge",
            [(BASE + i * minute, v) for i, v in enumerate([0.0, 10.0, 20.0, 5.0, 15.0, 0.0, 0.0, 3.0])],
            at="resets",
        ),
        series(
            "edge",
            [
                (BASE + i * minute, v)
                for i, v in enumerate([5.0, 5.0, math.nan, 5.0, math.nan, math.nan, 6.0])
            ],
            at="nans",
        ),
        series("edge", [(BASE + i * 20_000, float(i)) for i in range(9)], at="start"),
        series("edge", [(BASE + 8 * minute + i * 20_000, float(100 + i)) for i in range(9)], at="end"),
        series("edge", [(BASE + i * minute, -float(i)) for i in range(12)], at="falling"),
        series("edge", [(BASE + i * minute, 0.5 + i * 100.0) for i in range(12)], at="fromzero"),
    ]
    made += [
        series("dawn", [(t, float(t)) for t in range(-600_000, 600_001, 30_000)], of="time"),
        series("dawn", [(t, 1.0) for t in range(-90_000, 90_001, 45_000)], of="one"),
    ]
    return made


def joins() -> list[Series]:
    """Vectors that match one to one, many to one, not at all and too often."""

    def flat(name: str, value: float, **labels: str) -> Series:
        return series(name, regular([value + i for i in range(20)], every=MINUTE), **labels)

    made = [
        flat("errors", 3, job="api", instance="a", code="500"),
        flat("errors", 5, job="api", instance="b", code="500"),
        flat("errors", 7, job="web", instance="a", code="500"),
        flat("errors", 11, job="web", instance="a", code="503"),
        flat("all", 100, job="api", instance="a"),
        flat("all", 200, job="api", instance="b"),
        flat("all", 300, job="web", instance="a"),
        flat("all", 400, job="db", instance="z"),
        flat("info", 1, job="api", instance="a", version="v1", zone="x"),
        flat("info", 1, job="api", instance="b", version="v2", zone="x"),
        flat("info", 1, job="web", instance="a", version="v3"),
        flat("dup", 1, job="api", instance="a", n="1"),
        flat("dup", 2, job="api", instance="a", n="2"),
        flat("same", 3, job="api", instance="a", code="500"),
        flat("same", 9, job="web", instance="a", code="503"),
        flat("left", 10, k="1"),
        flat("left", 20, k="2"),
        flat("right", 30, k="2"),
        flat("right", 40, k="3"),
        flat("right", 50, k="1"),
        flat("one", 2),
        flat("odd_names", 2, **{"über": "ä", "a b": "c d"}),
        series("late", regular([None] * 10 + [1.0] * 10, every=MINUTE), job="api", instance="a"),
        series("early", regular([1.0] * 6, every=MINUTE), job="api", instance="a"),
    ]
    made.append(series("twin_a", regular([1.0] * 5, every=MINUTE), job="t"))
    made.append(series("twin_b", regular([2.0] * 5, start=BASE + 12 * MINUTE, every=MINUTE), job="t"))
    made.append(
        series(
            "typed",
            regular([float(i) for i in range(20)], every=MINUTE),
            __type__="counter",
            __unit__="s",
            job="t",
        )
    )
    return made


def texts() -> list[Series]:
    """Label values that patterns find hard."""
    values = [
        "",
        "a",
        "b",
        "ab",
        "abc",
        "a.b",
        "a|b",
        "GET /api/v1",
        "GET /api/v2/items",
        "line\nbreak",
        "Ünïcode",
        "5xx",
        "500",
        "503",
        "404",
        "200",
        "(paren)",
        "$dollar",
        "back\\slash",
        "tab\there",
        "foo-bar-baz",
        "FOO",
        "x" * 60,
        "k\u00e9",
        "ſ",  # noqa: RUF001 - the letters that fold with s and k
        "K",
    ]
    made = [
        series("text", regular([float(i)] * 5, every=MINUTE), n=str(i), v=value)
        for i, value in enumerate(values)
    ]
    return made


WORLDS = {
    "counters": counters,
    "gauges": gauges,
    "buckets": buckets,
    "edges": edges,
    "joins": joins,
    "texts": texts,
}
