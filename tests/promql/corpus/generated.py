"""Queries drawn from a seed: nested as people and machines nest them."""

import random
from collections.abc import Iterator

from .case import Case
from .names import AGGREGATES, ARITHMETIC, CALENDAR, COMPARISONS, ELEMENTWISE, OVER_TIME, SETS
from .worlds import BASE, MINUTE

SEED = 20_261_123
COUNT = 3_000

SELECTORS = {
    "counters": (
        "requests_total",
        'requests_total{job="api"}',
        'requests_total{code=~"5..|404"}',
        'requests_total{instance!="c",job="web"}',
        'requests_total{instance="b"}',
    ),
    "gauges": (
        "gauge",
        'gauge{half="0"}',
        'gauge{shape=~"walk|ramp|gaps"}',
        "smooth",
        'gauge{shape=~"n.*|.*inf"}',
        'gauge{shape=~"stops|returns|once|twice"}',
    ),
    "edges": (
        "edge",
        'edge{at=~"minutes|late|early"}',
        'edge{at="blinking"}',
        'edge{at=~"start|end|sparse"}',
        'edge{at=~"nans|resets"}',
    ),
    "joins": ("errors", "all", "left", "right", "info", "one", "late", "early"),
    "buckets": (
        "latency_bucket",
        'latency_bucket{kind="good"}',
        'latency_bucket{kind=~"two|other|negative"}',
    ),
}
LABELS = {
    "counters": ("job", "instance", "code"),
    "gauges": ("shape", "half"),
    "edges": ("at", "none"),
    "joins": ("job", "instance", "code", "k"),
    "buckets": ("kind", "le"),
}


SENSITIVE = frozenset(["cos", "cosh", "exp", "sin", "sinh", "tan"])


class Writer:
    """Writes one random expression about one world."""

    def __init__(self, dice: random.Random, world: str) -> None:
        self.dice = dice
        self.world = world

    def vector(self, depth: int) -> str:
        choices = (
            [self.selector]
            if depth <= 0
            else [
                self.selector,
                self.over_time,
                self.over_time,
                self.aggregation,
                self.aggregation,
                self.elementwise,
                self.with_scalar,
                self.with_scalar,
                self.with_vector,
                self.with_vector,
                self.special,
            ]
        )
        return self.dice.choice(choices)(depth - 1)

    def selector(self, _: int) -> str:
        return self.dice.choice(SELECTORS[self.world]) + self.extension(0.03) + self.modifier()

    def modifier(self) -> str:
        roll = self.dice.random()
        if roll < 0.8:
            return ""
        offset = self.dice.choice([" offset 1m", " offset -45s", " offset 2m30s"])
        at = self.dice.choice([" @ start()", " @ end()", f" @ {BASE / 1000 + self.dice.randint(0, 1200)}"])
        return offset if roll < 0.9 else at if roll < 0.95 else offset + at

    def window(self, depth: int) -> str:
        length = self.dice.choice(["45s", "1m", "2m", "5m", "100s"])
        if depth > 0 and self.dice.random() < 0.3:
            step = self.dice.choice(["15s", "30s", "", "47s"])
            return f"({self.vector(depth - 1)})[{length}:{step}]{self.modifier()}"
        return f"{self.dice.choice(SELECTORS[self.world])}[{length}]{self.extension(0.1)}{self.modifier()}"

    def extension(self, chance: float) -> str:
        return self.dice.choice([" anchored", " smoothed"]) if self.dice.random() < chance else ""

    def over_time(self, depth: int) -> str:
        name = self.dice.choice(
            [*OVER_TIME, "rate", "increase", "irate", "quantile_over_time", "predict_linear"]
        )
        if name == "quantile_over_time":
            return f"{name}({self.scalar()}, {self.window(depth)})"
        if name == "predict_linear":
            return f"{name}({self.window(depth)}, {self.dice.choice(['60', '600', '-30'])})"
        return f"{name}({self.window(depth)})"

    def grouping(self) -> str:
        names = ", ".join(self.dice.sample(LABELS[self.world], self.dice.randint(0, 2)))
        return self.dice.choice(["", f" by ({names}) ", f" without ({names}) "])

    def aggregation(self, depth: int) -> str:
        name = self.dice.choice([*AGGREGATES, *AGGREGATES, "topk", "bottomk", "quantile", "count_values"])
        parameter = {"topk": "2, ", "bottomk": "3, ", "quantile": "0.7, ", "count_values": '"value", '}.get(
            name, ""
        )
        # Which of equal values topk keeps hangs on an order that only selected series have.
        inner = self.vector(depth) if name not in ("topk", "bottomk", "count_values") else self.ordered()
        return f"{name}{self.grouping()}({parameter}{inner})"

    def ordered(self) -> str:
        """A vector in the order of the storage, and exact to the last bit."""
        name = self.dice.choice(["", "", "max_over_time", "last_over_time", "count_over_time", "changes"])
        if not name:
            return self.selector(0)
        return f"{name}({self.dice.choice(SELECTORS[self.world])}[2m])"

    def elementwise(self, depth: int) -> str:
        name = self.dice.choice([*ELEMENTWISE, *CALENDAR])
        inner = self.vector(depth)
        if name in SENSITIVE:  # where the last bit of the argument would decide the result
            inner = f"clamp({inner}, -20, 20)"
        return f"{name}({inner})"

    def scalar(self) -> str:
        return self.dice.choice(
            [
                "0",
                "1",
                "0.5",
                "-3",
                "100",
                "2",
                "time() / 1e9",
                "scalar(sum(" + self.dice.choice(SELECTORS[self.world]) + "))",
            ]
        )

    def operator(self) -> tuple[str, str]:
        if self.dice.random() < 0.6:
            return self.dice.choice(ARITHMETIC), ""
        return self.dice.choice(COMPARISONS), self.dice.choice([" bool", ""])

    def with_scalar(self, depth: int) -> str:
        operator, modifier = self.operator()
        sides = [f"({self.vector(0 if operator == '%' else depth)})", self.scalar()]
        self.dice.shuffle(sides)
        return f"{sides[0]} {operator}{modifier} {sides[1]}"

    def with_vector(self, depth: int) -> str:
        left, right = f"({self.vector(depth)})", f"({self.vector(depth)})"
        names = ", ".join(self.dice.sample(LABELS[self.world], self.dice.randint(0, 2)))
        match = self.dice.choice(["", f" on ({names})", f" ignoring ({names})"])
        if self.dice.random() < 0.35:
            return f"{left} {self.dice.choice(SETS)}{match} {right}"
        operator, modifier = self.operator()
        if operator == "%":
            left, right = f"({self.vector(0)})", f"({self.vector(0)})"
        group = self.dice.choice(["", "", " group_left ()", " group_right ()"]) if match else ""
        return f"{left} {operator}{modifier}{match}{group} {right}"

    def special(self, depth: int) -> str:
        inner = self.vector(depth)
        label = self.dice.choice(LABELS[self.world])
        return self.dice.choice(
            [
                f"sort({inner})",
                f"absent({inner})",
                f"clamp({inner}, -2, 50)",
                f"timestamp({inner})",
                f"-({inner})",
                f'label_replace({inner}, "{label}", "$1-x", "{label}", "(.).*")',
                f'label_join({inner}, "new", "/", "{label}", "none")',
                f"vector({self.scalar()})",
                f"round({inner}, 0.5)",
                f"histogram_quantile(0.8, {inner})",
                f"histogram_fraction(0, 1, {inner})",
            ]
        )


def from_seed(seed: int = SEED, count: int = COUNT) -> Iterator[Case]:
    """*count* queries, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        world = dice.choice(list(SELECTORS))
        expression = Writer(dice, world).vector(dice.randint(1, 4))
        moment = BASE + dice.randint(0, 20 * 60_000)
        if dice.random() < 0.6:
            yield Case("from seed", world, expression, at=moment)
        else:
            step = dice.choice([15_000, 60_000, 47_123, 120_000])
            yield Case(
                "from seed",
                world,
                expression,
                start=moment,
                end=moment + dice.randint(0, 8) * step + 777,
                step=step,
            )


__all__ = ["MINUTE", "from_seed"]
