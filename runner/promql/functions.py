"""Functions of instant vectors and scalars."""

import math
from collections.abc import Callable, Sequence

from runner.promql import calendar, floats, histograms, label_functions
from runner.promql.catalogue import CALENDAR, ELEMENTWISE
from runner.promql.errors import EvaluationError
from runner.promql.labels import EMPTY, METADATA, Labels, MatchOperator
from runner.promql.tree import Call, Node, Range, Selector, String

Point = tuple[Labels, float]
VectorOf = Callable[[Node, int], list[Point]]
ScalarOf = Callable[[Node, int], float]

LIMITING = frozenset({"clamp", "clamp_max", "clamp_min", "round"})


def constant(function: str, at: int) -> float:
    """`time()` and `pi()`."""
    return at / 1000 if function == "time" else math.pi


def scalar(points: Sequence[Point]) -> float:
    """The value of the only point, else NaN."""
    return points[0][1] if len(points) == 1 else floats.NAN


class Functions:
    """The functions whose arguments are vectors, scalars and strings, for one query.

    *vector* and *scalar* evaluate arguments; rewritten labels are remembered from step to step.
    """

    def __init__(self, vector: VectorOf, scalar: ScalarOf) -> None:
        self._vector = vector
        self._scalar = scalar
        self._rewrites: dict[Call, label_functions.Rewrite] = {}

    def call(self, node: Call, at: int) -> list[Point]:
        """The points of *node* at *at*."""
        name, arguments = node.function, node.arguments
        if name == "vector":
            return [(EMPTY, self._scalar(arguments[0], at))]
        if name.startswith("histogram_"):
            numbers = [self._scalar(argument, at) for argument in arguments[:-1]]
            return _histogram(name, numbers, self._vector(arguments[-1], at))
        points = self._vector(arguments[0], at) if arguments else [(EMPTY, float(at // 1000))]
        if name in ("label_replace", "label_join"):
            return self._rewrite(node).applied(points)
        if name in LIMITING:
            return _limited(name, points, [self._scalar(argument, at) for argument in arguments[1:]])
        return _computed(node, points, at)

    def _rewrite(self, node: Call) -> label_functions.Rewrite:
        found = self._rewrites.get(node)
        if found is None:
            texts = tuple(map(text, node.arguments[1:]))
            make = label_functions.replacing if node.function == "label_replace" else label_functions.joining
            found = self._rewrites[node] = label_functions.Rewrite(make(*texts))
        return found


def _computed(node: Call, points: list[Point], at: int) -> list[Point]:
    name = node.function
    if name in ELEMENTWISE:
        return _mapped(floats.ELEMENTWISE[name], points)
    if name in CALENDAR:
        part = calendar.PARTS[name]
        return _mapped(lambda value: float(part(calendar.moment(value))), points)
    match name:
        case "timestamp":
            return [(labels.nameless(), at / 1000) for labels, _ in points]
        case "absent":
            return [] if points else [(absent_labels(node.arguments[0]), 1.0)]
        case "sort" | "sort_desc":
            return _sorted(points, descending=name == "sort_desc")
        case _:
            raise AssertionError(f"{name}() is in the catalogue only")


def _mapped(function: Callable[[float], float], points: Sequence[Point]) -> list[Point]:
    return [(labels.nameless(), function(value)) for labels, value in points]


def _limited(name: str, points: Sequence[Point], numbers: Sequence[float]) -> list[Point]:
    match name:
        case "clamp":
            lowest, highest = numbers
        case "clamp_min":
            lowest, highest = numbers[0], floats.INF
        case "clamp_max":
            lowest, highest = -floats.INF, numbers[0]
        case _:
            return _rounded(points, numbers[0] if numbers else 1.0)
    if highest < lowest:
        return []
    return _mapped(lambda value: floats.maximum(lowest, floats.minimum(highest, value)), points)


def _rounded(points: Sequence[Point], nearest: float) -> list[Point]:
    inverse = floats.divide(1.0, nearest)
    return _mapped(lambda value: floats.divide(floats.floor(value * inverse + 0.5), inverse), points)


def _sorted(points: Sequence[Point], *, descending: bool) -> list[Point]:
    numbers = [point for point in points if not math.isnan(point[1])]
    rest = [point for point in points if math.isnan(point[1])]
    return sorted(numbers, key=lambda point: point[1], reverse=descending) + rest


def _histogram(name: str, numbers: Sequence[float], points: Sequence[Point]) -> list[Point]:
    found = histograms.histograms(points).items()
    if name == "histogram_quantile":
        return [(histograms.metric(of), histograms.quantile(numbers[0], buckets)) for of, buckets in found]
    lower, upper = numbers
    return [(histograms.metric(of), histograms.fraction(lower, upper, buckets)) for of, buckets in found]


def absent_labels(argument: Node) -> Labels:
    """What a selector says for sure about the series that are absent; nothing for other expressions."""
    selector = argument.selector if isinstance(argument, Range) else argument
    if not isinstance(selector, Selector):
        return EMPTY
    known: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in selector.matchers:
        if matcher.name in METADATA:
            continue
        if matcher.operator is MatchOperator.EQUAL and matcher.name not in seen:
            known[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            known.pop(matcher.name, None)
    return Labels(known)


def text(node: Node | None) -> str:
    """The value of a string argument."""
    assert isinstance(node, String)  # noqa: S101 - the parser checks the types of arguments
    return node.value


def check_label(name: str, complaint: str) -> None:
    """EvaluationError unless *name* can be a label's name."""
    if not name:
        raise EvaluationError(f"{complaint} {name!r}")
