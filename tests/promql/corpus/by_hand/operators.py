"""Every operator between scalars, between vectors, and with a matching."""

from collections.abc import Iterator
from itertools import product

from tests.promql.corpus.case import MID, Case, both, instant
from tests.promql.corpus.names import ARITHMETIC, COMPARISONS, SETS


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
