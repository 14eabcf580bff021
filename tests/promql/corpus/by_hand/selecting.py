"""Matchers, windows, subqueries, offsets and what reaches beyond a window."""

from collections.abc import Iterator
from itertools import product

from tests.promql.corpus.case import MID, Case, both, instant, ranged
from tests.promql.corpus.worlds import BASE, MINUTE


def selectors() -> Iterator[Case]:
    moments = tuple(
        BASE + d
        for d in (
            -1,
            0,
            1,
            MINUTE,
            5 * MINUTE - 1,
            5 * MINUTE,
            5 * MINUTE + 1,
            6 * MINUTE,
            16 * MINUTE + 59_999,
            17 * MINUTE,
        )
    )
    yield from instant("lookback", "edges", "edge", "timestamp(edge)", "count(edge)", at=moments)
    yield from ranged(
        "lookback",
        "edges",
        "edge",
        "count(edge)",
        "timestamp(edge)",
        "edge{at='blinking'}",
        "edge{at='sparse'}",
        step=MINUTE,
    )
    yield from ranged(
        "lookback",
        "gauges",
        "gauge{shape=~'stops|returns|once|gaps'}",
        "count_over_time(gauge{shape=~'stops|returns|once|gaps'}[1m])",
        step=45_000,
    )
    for matcher in (
        'v="a"',
        'v!="a"',
        'v=""',
        'v!=""',
        'v=~"a"',
        'v=~"a|b"',
        'v=~"a.*"',
        'v=~".*b"',
        'v=~".+"',
        'v=~".*"',
        'v=~""',
        'v!~""',
        'v!~"a.*"',
        'v=~"(?i)foo"',
        'v=~"[a-c]+"',
        'v=~"[^a-z]+"',
        'v=~"a.b"',
        'v=~"a\\\\.b"',
        'v=~"a\\\\|b"',
        'v=~"GET /api/v[0-9](/.*)?"',
        'v=~"[45]..|5xx"',
        'v=~"4.."',
        'v!~"5..|4.."',
        'v=~"line.break"',
        'v=~"\\\\d+"',
        'v=~"\\\\w+"',
        'v=~"\\\\W+"',
        'v=~"(?s).*"',
        'v=~"(?-s).*"',
        'v=~"x{60}"',
        'v=~"x{2,70}"',
        'v=~"x{61}"',
        'v=~"(foo|bar|baz|-)+"',
        'v=~"^a$"',
        'v=~"a$|^b"',
        'v=~"\\\\(.*\\\\)"',
        'v=~"\\\\$dollar"',
        'v=~"back\\\\\\\\slash"',
        'v=~"\\\\S+\\\\s\\\\S+"',
        'v=~"[[:upper:]]+"',
        'v=~"\\\\pL+"',
        'v=~"\\\\p{Lu}+"',
        'v=~"(?i)k"',
        'v=~"(?i)s"',
        'v=~"(?i:FOO)"',
        'v=~"a??b"',
        'v=~"(a*)*b"',
        'v=~"(a|ab)(c|bcd)?"',
        'v=~"\\\\Qa.b\\\\E"',
        'v=~"(?P<n>a)b"',
        'v=~"(?:a)(?:b)c?"',
        'v=~".{2}"',
        'v=~"[\\\\d.]+"',
        'v=~"Ün.*"',
        'v=~"[Ü-ü].*"',
        'v=~"\\\\x61"',
        'v=~"\\\\x{1F600}|a"',
        'v=~"a\\\\b"',
        'v=~"\\\\babc\\\\b"',
        'v=~"\\\\Aabc\\\\z"',
        'v=~"[a\\\\]b]+"',
        'v=~"[]a]+"',
        'v=~"[\\\\w-]+"',
    ):
        yield from instant("matchers", "texts", f"text{{{matcher}}}", at=(BASE + MINUTE,))
    yield from instant(
        "matchers",
        "texts",
        '{v="a"}',
        '{__name__="text",v="b"}',
        '{"text"}',
        '{"text", v="b"}',
        '{__name__=~"te.*", n="3"}',
        '{n=~"1.?", v!="a"}',
        'text{n="1",v="a"}',
        'text{n="1",n="2"}',
        'text{none=""}',
        at=(BASE + MINUTE,),
    )
    yield from instant(
        "matchers", "joins", '{"über"="ä"}', 'odd_names{"a b"="c d"}', '{"odd_names", "über"!="x"}'
    )


def modifiers() -> Iterator[Case]:
    t = MID / 1000
    for offset in ("30s", "5m", "-30s", "-5m", "1h", "0s", "90", "1.5", "1m30s", "-1ms"):
        yield from both(
            "offset",
            "counters",
            f'requests_total{{instance="a",code="500"}} offset {offset}',
            f'rate(requests_total{{instance="a"}}[2m] offset {offset})',
            f"sum(requests_total offset {offset})",
        )
        yield from both(
            "offset",
            "edges",
            f"edge offset {offset}",
            f"count_over_time(edge[3m] offset {offset})",
            f"sum_over_time(edge[3m:1m] offset {offset})",
        )
    for at in (
        f"{t}",
        f"{t + 0.001}",
        "start()",
        "end()",
        f"{t - 120} offset 1m",
        "end() offset 2m",
        "start() offset -2m",
        "0",
        f"{t + 1e6}",
        "-5",
    ):
        yield from both(
            "@",
            "counters",
            f'requests_total{{instance="a",code="500"}} @ {at}',
            f'rate(requests_total{{instance="a"}}[2m] @ {at})',
            f"sum(requests_total @ {at})",
            f'requests_total{{instance="a"}} - requests_total{{instance="a"}} @ {at}',
        )
        yield from both(
            "@",
            "edges",
            f"edge @ {at}",
            f"timestamp(edge @ {at})",
            f"sum_over_time(edge[3m:1m] @ {at})",
            f"max_over_time(timestamp(edge @ {at})[2m:1m])",
            f"predict_linear(edge[5m] @ {at}, 60)",
            f"absent(edge @ {at})",
        )
    yield from instant(
        "@",
        "edges",
        "dawn @ -30",
        "dawn @ -30.5",
        "rate(dawn[2m] @ -60)",
        "dawn @ 0 offset -30s",
        "sum_over_time(dawn[2m:30s] @ -45.25)",
        at=(0, 60_000),
    )
    for window, step in product(("1m", "2m30s", "5m"), ("", "7s", "1m", "90s")):
        yield from both(
            "subquery",
            "counters",
            f'max_over_time(requests_total{{instance="b"}}[{window}:{step}])',
            f"rate(sum(requests_total)[{window}:{step}])",
            at=(MID + 3_333,),
        )
        yield from instant(
            "subquery",
            "counters",
            f"sum(requests_total)[{window}:{step}]",
            f"time()[{window}:{step}]",
            f"1[{window}:{step}]",
            f"avg_over_time((sum_over_time(requests_total{{code='500'}}[1m:{step}]))[{window}:{step}])",
            at=(MID + 1,),
        )
    yield from both(
        "subquery",
        "edges",
        "count_over_time(edge[5m:30s])",
        "edge[2m:1m] offset 1m",
        "last_over_time(edge[2m:1m] @ end())",
        "sum_over_time(absent(edge{at='single'})[10m:1m])",
        "min_over_time(timestamp(edge)[3m:1m])",
        "deriv(timestamp(edge)[3m:1m])",
        "sum_over_time((edge > 3)[5m:1m])",
        "count_over_time({__name__=~'edge|dawn'}[5m:1m])",
        "max_over_time(rate(edge[2m])[5m:1m] offset 1m)",
        "stddev_over_time(topk(2, edge)[5m:1m])",
    )
    yield from instant(
        "matrix",
        "edges",
        "edge[5m]",
        "edge[1m] offset 1m",
        f"edge[5m] @ {t - 300}",
        "none[5m]",
        'edge{at=~"b.*|n.*"}[10m]',
        at=(BASE + 3 * MINUTE, BASE + 5 * MINUTE),
    )


def extended() -> Iterator[Case]:
    moments = (BASE + 3 * MINUTE, BASE + 5 * MINUTE + 30_000, BASE + 9 * MINUTE + 1)
    for modifier in ("anchored", "smoothed"):
        for name in ("rate", "increase", "delta", "changes", "resets"):
            yield from both(
                modifier,
                "counters",
                f"{name}(requests_total[2m] {modifier})",
                f'{name}(requests_total{{instance="c"}}[50s] {modifier} offset 1m)',
            )
            yield from both(
                modifier,
                "gauges",
                f"{name}(gauge[1m] {modifier})",
                f"{name}(gauge[10m] offset 30s {modifier})",
            )
            yield from instant(
                modifier,
                "edges",
                f"{name}(edge[1m] {modifier})",
                f"{name}(edge[3m] {modifier})",
                f"{name}(edge[90s] {modifier} @ {MID / 1000})",
                f"{name}(dawn[2m] {modifier})",
                at=moments,
            )
            yield from ranged(
                modifier,
                "edges",
                f"{name}(edge[2m] {modifier})",
                f"{name}(edge[5m] {modifier} @ end())",
                step=77_000,
            )
        yield from both(
            modifier,
            "edges",
            f"edge {modifier}",
            f"edge{{at='sparse'}} {modifier} offset 1m",
            f"sum(edge {modifier})",
            f"timestamp(edge {modifier})",
            f"edge{{}} @ {MID / 1000} {modifier}",
            at=moments,
        )
        yield from both(
            modifier,
            "gauges",
            f"gauge {modifier}",
            f"gauge {modifier} > 3",
            f"max_over_time((smooth {modifier})[2m:7s])",
            at=(MID + 4_321,),
        )
        yield from instant(
            modifier,
            "edges",
            f"edge[2m] {modifier}",
            f"edge[90s] offset 33s {modifier}",
            f"edge{{at='blinking',}}[3m] {modifier}",
            f"none[2m] {modifier}",
            at=moments,
        )
        yield from both(
            modifier,
            "edges",
            f"sum_over_time(edge[2m] {modifier})",
            f"absent_over_time(none[2m] {modifier})",
            f"irate(edge[2m] {modifier})",
            f"edge[2m:1m] {modifier}",
            f"sum(edge) {modifier}",
            f"1 {modifier}",
            f"edge {modifier} {modifier}",
            "rate(edge[2m] anchored smoothed)",
            f"predict_linear(edge[2m] {modifier}, 3)",
        )
