"""Queries by hand: every function, operator and modifier, on the worlds made for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from .worlds import BASE, MINUTE


@dataclass(frozen=True, slots=True)
class Case:
    """A query and when it is asked: at one moment, or from *start* to *end* every *step*; milliseconds."""

    group: str
    world: str
    expr: str
    at: int | None = None
    start: int = 0
    end: int = 0
    step: int = 0

    def record(self) -> dict[str, object]:
        when = (
            {"at": self.at}
            if self.at is not None
            else {"start": self.start, "end": self.end, "step": self.step}
        )
        return {"group": self.group, "world": self.world, "expr": self.expr, **when}


MID = BASE + 10 * MINUTE
INSTANTS = (MID, MID + 7_500, BASE + 18 * MINUTE + 1)


def instant(group: str, world: str, *exprs: str, at: tuple[int, ...] = (MID,)) -> Iterator[Case]:
    for expr, moment in product(exprs, at):
        yield Case(group, world, expr, at=moment)


def ranged(
    group: str,
    world: str,
    *exprs: str,
    start: int = BASE,
    end: int = BASE + 21 * MINUTE,
    step: int = 3 * MINUTE,
) -> Iterator[Case]:
    for expr in exprs:
        yield Case(group, world, expr, start=start, end=end, step=step)


def both(
    group: str, world: str, *exprs: str, at: tuple[int, ...] = (MID,), step: int = 3 * MINUTE
) -> Iterator[Case]:
    yield from instant(group, world, *exprs, at=at)
    yield from ranged(group, world, *exprs, step=step)


ELEMENTWISE = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "deg",
    "exp",
    "floor",
    "ln",
    "log10",
    "log2",
    "rad",
    "round",
    "sgn",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]
CALENDAR = ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
OVER_TIME = [
    "absent_over_time",
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "first_over_time",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "rate",
    "resets",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
]
AGGREGATES = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", "<", ">", "<=", ">="]
SETS = ["and", "or", "unless"]


def elementwise() -> Iterator[Case]:
    for name in ELEMENTWISE:
        yield from both(name, "gauges", f"{name}(gauge)", f"{name}(parts)", f"{name}(-gauge{{half='0'}})")
        yield from instant(
            name,
            "gauges",
            f"{name}(gauge / 40)",
            f"{name}(smooth) * 2",
            f"{name}(vector(0))",
            f"{name}(vector(-0.5))",
            f"{name}(vector(2.5))",
            f"{name}(vector(1e300))",
            f"{name}(none)",
            at=(MID + 7_500,),
        )
        yield from instant(name, "joins", f'{name}({{__name__=~"one|left"}})', f"sum({name}(left))")
    yield from both(
        "round", "gauges", *[f"round(gauge, {n})" for n in ("5", "0.1", "-3", "0", "1e-3", "NaN", "Inf")]
    )
    yield from instant(
        "round",
        "gauges",
        "round(vector(2.5))",
        "round(vector(-2.5))",
        "round(vector(0.5))",
        "round(vector(1e17), 10)",
    )


def clamps() -> Iterator[Case]:
    for low, high in (
        ("-5", "5"),
        ("0", "0"),
        ("5", "-5"),
        ("NaN", "1"),
        ("-Inf", "Inf"),
        ("1", "NaN"),
        ("-1", "Inf"),
    ):
        yield from both("clamp", "gauges", f"clamp(gauge, {low}, {high})")
        yield from both("clamp_min", "gauges", f"clamp_min(gauge, {low})")
        yield from both("clamp_max", "gauges", f"clamp_max(gauge, {high})")
    yield from instant(
        "clamp", "gauges", "clamp(gauge, scalar(smooth{shape='sine'}), 3)", "clamp_min(gauge, time() / 1e9)"
    )


def calendar() -> Iterator[Case]:
    for name in CALENDAR:
        yield from both(
            name,
            "gauges",
            f"{name}(clock)",
            f"{name}()",
            f"{name}(vector(time() - 86400 * 45))",
            f"{name}(gauge)",
        )
        yield from instant(
            name,
            "gauges",
            *[
                f"{name}(vector({t}))"
                for t in (
                    "0",
                    "-1",
                    "86399.999",
                    "951782400",
                    "1709164800",
                    "4107542400",
                    "-62135596800",
                    "253402300800",
                    "1e15",
                )
            ],
        )
        yield from instant(name, "edges", f"{name}(dawn)", at=(0, -30_000, 60_500))


def over_time() -> Iterator[Case]:
    for name in OVER_TIME:
        yield from both(name, "counters", f"{name}(requests_total[2m])", at=(MID,))
        yield from instant(
            name,
            "counters",
            f'{name}(requests_total{{instance="b"}}[5m])',
            f'{name}(requests_total{{instance="c"}}[90s] offset 2m)',
            at=INSTANTS,
        )
        yield from both(name, "gauges", f"{name}(gauge[1m])", f"{name}(gauge[4m] offset 1m)")
        yield from instant(
            name,
            "gauges",
            f"{name}(gauge[10m])",
            f"{name}(smooth[3m])",
            f"{name}(gauge[15s])",
            f"{name}(gauge[16s])",
        )
        yield from ranged(
            name, "edges", f"{name}(edge[1m])", f"{name}(edge[5m])", f"{name}(edge[2m1ms])", step=2 * MINUTE
        )
        yield from instant(
            name,
            "edges",
            f"{name}(edge[3m])",
            f"{name}(edge[59s999ms])",
            at=(BASE + 3 * MINUTE, BASE + 3 * MINUTE + 1, BASE + 5 * MINUTE - 1),
        )
        yield from instant(
            name, "edges", f"{name}(dawn[2m])", f"{name}(dawn[2m:30s])", at=(0, 45_000, -100_000)
        )
        yield from both(name, "counters", f"{name}(sum by (job) (requests_total)[3m:20s])")
        yield from instant(name, "joins", f'{name}({{__name__=~"left|right"}}[5m])', f"{name}(none[5m])")
    for rank in ("0", "0.5", "0.9", "1", "-1", "2", "NaN", "0.333"):
        yield from both("quantile_over_time", "gauges", f"quantile_over_time({rank}, gauge[3m])")
        yield from instant(
            "quantile_over_time", "edges", f"quantile_over_time({rank}, edge[5m])", at=(BASE + 5 * MINUTE,)
        )
    yield from both("quantile_over_time", "gauges", "quantile_over_time(scalar(parts), gauge[2m])")
    for ahead in ("0", "60", "-600", "1h", "NaN", "Inf", "time() - 1.6e9"):
        yield from both(
            "predict_linear",
            "gauges",
            f"predict_linear(gauge[5m], {ahead})",
            f"predict_linear(smooth[2m] offset 1m, {ahead})",
        )
    yield from both(
        "predict_linear",
        "gauges",
        f"predict_linear(smooth[5m] @ {MID / 1000}, 60)",
        "predict_linear(gauge[10s], 60)",
    )
    for name in ("rate", "increase", "delta"):
        for at in (
            "minutes",
            "late",
            "early",
            "pair",
            "sparse",
            "start",
            "end",
            "falling",
            "fromzero",
            "resets",
        ):
            for window in ("2m", "3m", "4m30s", "5m", "20m"):
                yield from instant(
                    name,
                    "edges",
                    f'{name}(edge{{at="{at}"}}[{window}])',
                    at=(BASE + 3 * MINUTE, BASE + 5 * MINUTE + 30_000, BASE + 9 * MINUTE),
                )


def absence() -> Iterator[Case]:
    yield from both(
        "absent",
        "counters",
        "absent(requests_total)",
        "absent(none)",
        'absent(none{a="b"})',
        'absent(none{a="b",a="c"})',
        'absent(none{a="b",c!="d",e=~"f"})',
        'absent({__name__="none",x="y"})',
        "absent(sum(none))",
        'absent(none{a=~"b"} + 1)',
        'absent(requests_total{instance="c"})',
        'absent((none{a="b"}))',
        'absent(none{a="b"} offset 5m)',
    )
    yield from both(
        "absent_over_time",
        "counters",
        "absent_over_time(requests_total[1m])",
        "absent_over_time(none[1m])",
        'absent_over_time(none{a="b"}[1m])',
        'absent_over_time(requests_total{instance="c"}[1m])',
        'absent_over_time(requests_total{instance="c",job="web"}[30s])',
        'absent_over_time(none{a="b"}[1m:10s])',
        'absent_over_time(rate(requests_total{instance="c"}[30s])[1m:15s])',
        'absent_over_time({instance="x",__name__=~"n.*"}[5m])',
    )


def aggregations() -> Iterator[Case]:
    for name in AGGREGATES:
        for grouping in (
            "",
            " by (job)",
            " by (job, code)",
            " without (instance)",
            " without (instance, code)",
            " by ()",
            " without ()",
            " by (none)",
            " by (__name__)",
        ):
            yield from instant(name, "counters", f"{name}{grouping} (requests_total)")
        yield from ranged(
            name,
            "counters",
            f"{name} by (job) (requests_total)",
            f"{name} without (job) (rate(requests_total[1m]))",
            f"{name}(requests_total)",
        )
        yield from both(
            name,
            "gauges",
            f"{name}(gauge)",
            f"{name} by (half) (gauge)",
            f'{name}(gauge{{shape=~"huge.*"}})',
            f'{name}(gauge{{shape=~"cancel|walk|zero"}})',
        )
        yield from instant(
            name,
            "gauges",
            f'{name}(gauge{{shape=~"nan|walk"}})',
            f'{name}(gauge{{shape=~"allnan|flatinf"}})',
            f'{name}(gauge{{shape=~"inf|neginf|bothinf"}})',
            f"{name}(none)",
            at=(MID - 45_000, MID),
        )
        yield from instant(
            name,
            "joins",
            f"{name} without (job) ({{job=~'.+'}})",
            f'{name} by ("über") (odd_names)',
            f"{name} without (job) (typed)",
            f"{name} by (__type__) (typed)",
        )
    for name in ("topk", "bottomk"):
        for k in ("1", "3", "100", "0", "-1", "1.9", "NaN", "Inf", "scalar(one)"):
            yield from both(
                name, "counters", f"{name}({k}, requests_total)", f"{name} by (job) ({k}, requests_total)"
            )
        yield from both(
            name,
            "gauges",
            f"{name}(2, gauge)",
            f"{name}(50, gauge)",
            f"{name} by (half) (3, gauge)",
            f"{name} without (shape) (2, gauge)",
            f'{name}(2, gauge{{shape=~"nan|allnan"}})',
        )
        yield from both(
            name,
            "joins",
            f"{name}(2, errors)",
            f"{name}(2, info)",
            f"{name}(1, info)",
            f"{name} by (job) (1, {{job=~'.+'}})",
            f"{name}(NaN, none)",
            f"{name}(1, none)",
        )
    for rank in ("0", "0.5", "0.99", "1", "-0.1", "1.1", "NaN"):
        yield from both(
            "quantile",
            "counters",
            f"quantile({rank}, requests_total)",
            f"quantile by (job) ({rank}, requests_total)",
        )
        yield from both(
            "quantile", "gauges", f"quantile({rank}, gauge)", f"quantile without (shape) ({rank}, gauge)"
        )
    yield from both("quantile", "joins", "quantile(scalar(one) / 4, left)", "quantile(0.5, none)")
    yield from both(
        "count_values",
        "joins",
        'count_values("v", info)',
        'count_values("v", left)',
        'count_values by (job) ("v", errors)',
        'count_values without (code) ("v", errors)',
        'count_values("job", errors)',
        'count_values by (job) ("job", errors)',
        'count_values("v", errors / 3)',
        'count_values("über", info)',
        'count_values("__name__", info)',
    )
    yield from both(
        "count_values",
        "gauges",
        'count_values("v", gauge)',
        'count_values("v", gauge * 1e30)',
        'count_values("v", round(smooth))',
        'count_values("", gauge)',
    )


def scalars() -> Iterator[Case]:
    numbers = ("0", "1", "-1", "2.5", "-2.5", "NaN", "Inf", "-Inf", "1e308", "5e-324", "3", "0.1")
    for op in ARITHMETIC:
        for left, right in product(numbers, numbers[:10]):
            if (len(left) + len(right)) % 2 or {left, right} & {"NaN", "Inf", "0"}:
                yield Case(op, "joins", f"{left} {op} {right}", at=MID)
    for op in COMPARISONS:
        for left, right in product(("0", "1", "NaN", "Inf", "-Inf"), repeat=2):
            yield Case(op, "joins", f"{left} {op} bool {right}", at=MID)
    yield from both(
        "scalar",
        "joins",
        "scalar(one)",
        "scalar(left)",
        "scalar(none)",
        'scalar(left{k="1"})',
        "scalar(one) + 1",
        "vector(scalar(one))",
        "scalar(late)",
        "scalar(sum(left))",
        "scalar(vector(NaN))",
        "-scalar(one)",
        "scalar(-one)",
    )
    yield from both(
        "vector",
        "joins",
        "vector(1)",
        "vector(time())",
        "vector(NaN)",
        "vector(-Inf)",
        "vector(1) + vector(2)",
        "vector(scalar(left))",
        "-vector(3)",
        "vector(1) or left",
        "vector(pi())",
        "sum(vector(4))",
    )
    yield from both(
        "time",
        "joins",
        "time()",
        "time() - 1.6e9",
        "vector(time())",
        "-time()",
        "time() % 60",
        "timestamp(one) - time()",
        "time() > bool 1600000600",
        "one * time()",
        "time() ^ 0.5",
        "scalar(one) * time()",
    )
    yield from both(
        "pi",
        "joins",
        "pi()",
        "pi() * 2",
        "one * pi()",
        "vector(pi())",
        "-pi()",
        "pi() == bool pi()",
        "pi() ^ 2",
        "round(vector(pi()), 0.01)",
        "pi() % 3",
        "cos(vector(pi()))",
    )
    yield from both(
        "literals",
        "joins",
        "1",
        "0x1F",
        "1e3",
        ".5",
        "5.",
        "0755",
        "1_000",
        "1_0.5_0",
        "Inf",
        "-NaN",
        "1h30m",
        "5m / 1s",
        "100ms",
        "2 ^ 3 ^ 2",
        "-2 ^ 2",
        "2 * 3 + 4 % 3 - 1",
        "1 - 1 - 1",
        "2 ^ -1",
        "- - 1",
        "+1",
        "(1 + 2) * 3",
        "-(1)",
        "1 + 2 * 3 ^ 2 / 4",
    )
    yield from instant(
        "literals", "joins", '"text"', "'single'", "`raw\\n`", '"esc\\t\\u00e9\\x41"', '("in parens")'
    )


def binaries() -> Iterator[Case]:
    for op in ARITHMETIC:
        yield from both(
            op,
            "joins",
            f"errors {op} on(job, instance) group_left all",
            f"left {op} right",
            f"left {op} on(k) right",
            f"left {op} ignoring(x) right",
            f"2 {op} left",
            f"left {op} 2",
            f"one {op} one",
            f"all {op} all",
        )
        yield from both(
            op,
            "gauges",
            f"gauge {op} gauge",
            f"gauge {op} 0",
            f"0 {op} gauge",
            f"gauge {op} scalar(smooth{{half='0'}})",
            f"gauge {op} ignoring(shape, half) group_left smooth{{half='0'}}",
        )
    for op in COMPARISONS:
        for modifier in ("", "bool "):
            yield from both(
                op,
                "joins",
                f"errors {op} {modifier}on(job, instance) group_left all",
                f"left {op} {modifier}right",
                f"left {op} {modifier}on(k) right",
                f"left {op} {modifier}ignoring(k) one",
                f"20 {op} {modifier}left",
                f"left {op} {modifier}20",
                f"all {op} {modifier}all",
            )
            yield from both(
                op,
                "gauges",
                f"gauge {op} {modifier}gauge",
                f"gauge {op} {modifier}0",
                f"0 {op} {modifier}gauge",
                f"gauge {op} {modifier}NaN",
            )
    for op in SETS:
        yield from both(
            op,
            "joins",
            f"left {op} right",
            f"errors {op} all",
            f"errors {op} on(job) all",
            f"errors {op} ignoring(code) all",
            f"errors {op} on() all",
            f"left {op} on(k) right",
            f"late {op} early",
            f"left {op} none",
            f"none {op} left",
            f"errors {op} on(none) all",
            f"{{job=~'.+'}} {op} left",
            f"errors {op} ignoring(job, instance, code) one",
            f"(errors > 4) {op} errors",
        )
    yield from both(
        "or",
        "joins",
        "left or on() right",
        "twin_a or twin_b",
        "-twin_a or -twin_b",
        "left or right or one or none",
        "errors or on(job) (all > 100)",
    )


def matching() -> Iterator[Case]:
    yield from both(
        "group_left",
        "joins",
        "errors * on(job, instance) group_left info",
        "errors * on(job, instance) group_left(version) info",
        "errors * on(job, instance) group_left(version, zone) info",
        "errors * on(job, instance) group_left(missing) info",
        "errors * ignoring(code, version, zone) group_left(zone) info",
        "errors * on(job) group_left info",
        "errors * on(job, instance) group_left(n) dup",
        "errors > on(job, instance) group_left(version) info",
        "errors > bool on(job, instance) group_left(version) info",
        "errors / ignoring(code) group_left all",
        "errors * on(job, instance) group_left(code) info",
        "sum by (job, instance) (errors) / on(job, instance) group_left all",
        "errors * on() group_left one",
    )
    yield from both(
        "group_right",
        "joins",
        "info * on(job, instance) group_right errors",
        "info * on(job, instance) group_right(version) errors",
        "info - on(job, instance) group_right(zone) errors",
        "all / ignoring(code) group_right errors",
        "info < on(job, instance) group_right(version) errors",
        "info < bool on(job, instance) group_right(version) errors",
        "dup * on(job, instance) group_right errors",
        "one ^ on() group_right left",
        "one % on() group_right(k) left",
        "all > ignoring(code) group_right errors",
    )
    yield from both(
        "on",
        "joins",
        "errors * on(job, instance) all",
        "errors * on(job) all",
        "left * on(k) right",
        "left * on() one",
        "left * on(none) one",
        "one * on() one",
        "info * on(job, instance) all",
        "left == on(k) left",
        "left == bool on(k) right",
        "left + on(__name__) left",
        "left + on(__name__) right",
    )
    yield from both(
        "ignoring",
        "joins",
        "errors / ignoring(code) all",
        "left * ignoring(k) one",
        "left * ignoring(none) right",
        "info * ignoring(version, zone) all",
        "all * ignoring(job, instance) one",
        "left == ignoring(k) one",
        "left - ignoring() right",
        "dup * ignoring(n) all",
        "all * ignoring(n) dup",
        "left < bool ignoring(x) right",
    )
    yield from both(
        "bool",
        "joins",
        "left > bool 15",
        "15 > bool left",
        "left == bool right",
        "left != bool on(k) right",
        "errors >= bool on(job, instance) group_left all",
        "1 < bool 2",
        "(left > bool 15) + 1",
        "one == bool one",
        "info == bool 1",
        "left <= bool ignoring(k) one",
        "NaN == bool NaN",
    )
    yield from both(
        "name",
        "joins",
        "rate({__name__=~'left|right'}[5m])",
        "last_over_time({__name__=~'left|right'}[5m])",
        "-{__name__=~'left|right'}",
        "{__name__=~'twin_.'} * 2",
        "rate({__name__=~'twin_.'}[5m])",
        "typed + 1",
        "typed",
        "-typed",
        "rate(typed[5m])",
        "typed * on(job) typed",
        "typed > 3",
        "typed > bool 3",
        "sum(typed)",
        "last_over_time(typed[5m])",
        "abs(typed)",
        "typed and typed",
        "label_replace(-typed, '__name__', 'x', '', '')",
        "max_over_time((-left)[5m:1m])",
        "last_over_time((-left)[5m:1m])",
        "last_over_time(left[5m:1m])",
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


def histograms() -> Iterator[Case]:
    for rank in ("0", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN", "1e-9", "0.25"):
        yield from both(
            "histogram_quantile",
            "buckets",
            f"histogram_quantile({rank}, latency_bucket)",
            f"histogram_quantile({rank}, rate(latency_bucket[2m]))",
        )
        yield from instant(
            "histogram_quantile",
            "buckets",
            f'histogram_quantile({rank}, sum by (le) (rate(latency_bucket{{kind=~"good|other"}}[5m])))',
            f"histogram_quantile({rank}, sum by (le, kind) (increase(latency_bucket[3m])))",
        )
    yield from both(
        "histogram_quantile",
        "buckets",
        "histogram_quantile(0.5, none)",
        "histogram_quantile(0.5, sum(latency_bucket))",
        "histogram_quantile(scalar(sum(latency_bucket{kind='empty'})), latency_bucket)",
        "histogram_quantile(0.5, -latency_bucket)",
        'histogram_quantile(0.5, {__name__="latency_bucket", kind="good"} or latency_bucket)',
    )
    for lower, upper in (
        ("0", "1"),
        ("0.1", "0.5"),
        ("-Inf", "Inf"),
        ("0.05", "0.3"),
        ("1", "0"),
        ("NaN", "1"),
        ("-3", "1"),
        ("2", "Inf"),
        ("-100", "-2"),
        ("0", "0"),
    ):
        yield from both(
            "histogram_fraction",
            "buckets",
            f"histogram_fraction({lower}, {upper}, latency_bucket)",
            f"histogram_fraction({lower}, {upper}, rate(latency_bucket[2m]))",
        )


def label_functions() -> Iterator[Case]:
    yield from both(
        "label_replace",
        "joins",
        'label_replace(errors, "x", "$1", "job", "(.*)")',
        'label_replace(errors, "x", "$1-$2", "job", "(.)(.*)")',
        'label_replace(errors, "job", "", "job", ".*")',
        'label_replace(errors, "x", "v", "none", "")',
        'label_replace(errors, "x", "v", "none", ".+")',
        'label_replace(errors, "instance", "same", "job", "api")',
        'label_replace(errors, "x", "${1}y$$", "job", "(a).*")',
        'label_replace(errors, "x", "$name", "job", "(?P<name>a.)i")',
        'label_replace(errors, "x", "$9", "job", "(a).*")',
        'label_replace(errors, "__name__", "other", "job", "api")',
        'label_replace(errors, "", "v", "job", "api")',
        'label_replace(errors, "x", "v", "job", "ap")',
        'label_replace(-errors, "__name__", "neg", "", "")',
        'label_replace(left, "k", "1", "k", ".*")',
        'label_replace(errors, "über", "$1", "job", "(.*)")',
        'label_replace(rate(errors[5m]), "dst", "$1x", "code", "(5).*")',
        'label_replace(vector(1), "a", "b", "", "")',
        'label_replace(errors, "x", "$1x", "job", "(.*)")',
        'label_replace(errors, "x", "$", "job", "(.*)")',
        'label_replace(errors, "x", "a$-b", "job", "(.*)")',
        'label_replace({__name__=~"twin_."}, "__name__", "t", "", "")',
        'label_replace(errors, "x", "$1", "job", "(a)?.*")',
        'label_replace(errors, "x", "$1|$2|$3", "instance", "(a|ab)(c|bcd)?(d*)")',
    )
    yield from both(
        "label_join",
        "joins",
        'label_join(errors, "x", "-", "job", "instance")',
        'label_join(errors, "x", "", "job")',
        'label_join(errors, "x", "-")',
        'label_join(errors, "job", "-", "job", "code")',
        'label_join(errors, "x", ",", "none", "job", "none")',
        'label_join(errors, "instance", "", "none")',
        'label_join(errors, "", "-", "job")',
        'label_join(errors, "x", "-", "")',
        'label_join(left, "k", "-", "none")',
        'label_join(errors, "__name__", "_", "job", "code")',
        'label_join(rate(errors[5m]), "x", "::", "job", "code")',
        'label_join({__name__=~"twin_."}, "__name__", "", "job")',
    )


def sorts() -> Iterator[Case]:
    for name in ("sort", "sort_desc"):
        yield from both(
            name,
            "counters",
            f"{name}(requests_total)",
            f"{name}(sum by (job, code) (requests_total))",
            f"{name}(rate(requests_total[2m]))",
        )
        yield from both(
            name,
            "gauges",
            f"{name}(gauge)",
            f"{name}(smooth)",
            f"{name}(none)",
            f"{name}(-gauge)",
            f"{name}(abs(gauge))",
            f"{name}(gauge > 3)",
        )
    yield from both(
        "timestamp",
        "edges",
        "timestamp(edge)",
        "timestamp(edge offset 1m)",
        "timestamp(-edge)",
        "timestamp((edge))",
        "timestamp(timestamp(edge))",
        "time() - timestamp(edge)",
        "timestamp(sum(edge))",
        "timestamp(none)",
        "timestamp(vector(1))",
        "timestamp({__name__=~'edge|dawn'})",
    )


def errors() -> Iterator[Case]:
    yield from both(
        "errors",
        "joins",
        "dup * on(job) dup",
        "left + on() right",
        "abs({job='api'})",
        "1 + errors[5m]",
        "sum(errors[5m])",
        "rate(errors)",
        "1 == 2",
        "errors and 1",
        "errors + 'a'",
        "foo(",
        "errors{",
        "errors{a=}",
        "unknown(1)",
        "errors offset",
        "sum by (job errors",
        "errors[5m",
        "topk(errors)",
        "1 +",
        "{}",
        '{a=""}',
        'errors{a=~"["}',
        "errors[0s]",
        "errors @ foo",
        "errors[5m:0s]",
        "rate(1)",
        "errors bool",
        "label_replace(errors, 1, 2, 3, 4)",
        'label_replace(errors, "a", "b", "job", "[")',
        "@ 5",
        "errors @ Inf",
        "errors offset 5m offset 5m",
        "errors{a='b'}{c='d'}",
        "errors[5m][5m]",
        "sum(1)",
        "scalar(1)",
        "a == on(x) 1",
        "1 and 2",
        "count_values(errors)",
        "quantile('a', errors)",
        "vector(errors)",
        "time(1)",
        "round(errors, errors)",
        "clamp(errors, 1)",
        "()",
        "errors[5m] + 1",
        "-errors[5m]",
        "-'a'",
    )


ALL = (
    elementwise,
    clamps,
    calendar,
    over_time,
    absence,
    aggregations,
    scalars,
    binaries,
    matching,
    modifiers,
    extended,
    selectors,
    histograms,
    label_functions,
    sorts,
    errors,
)


def by_hand() -> Iterator[Case]:
    for part in ALL:
        yield from part()
