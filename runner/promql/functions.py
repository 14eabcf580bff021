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


def constant(function: str, at: int) -> float:
    """`time()` and `pi()`."""
    return at / 1000 if function == "time" else math.pi


def scalar(points: Sequence[Point]) -> float:
    """The value of the only point, else NaN."""
    return points[0][1] if len(points) == 1 else floats.NAN


def call(node: Call, at: int, vector: VectorOf, scalar_of: ScalarOf) -> list[Point]:  # noqa: PLR0911 - one case per family
    """A function whose arguments are vectors, scalars and strings."""
    name, arguments = node.function, node.arguments
    if name in ELEMENTWISE:
        return _mapped(floats.ELEMENTWISE[name], vector(arguments[0], at))
    if name in CALENDAR:
        return _calendar(name, vector(arguments[0], at) if arguments else [(EMPTY, float(at // 1000))])
    match name:
        case "vector":
            return [(EMPTY, scalar_of(arguments[0], at))]
        case "timestamp":
            return [(labels.nameless(), at / 1000) for labels, _ in vector(arguments[0], at)]
        case "absent":
            return [] if vector(arguments[0], at) else [(absent_labels(arguments[0]), 1.0)]
        case "sort" | "sort_desc":
            return _sorted(vector(arguments[0], at), descending=name == "sort_desc")
        case "label_replace":
            return label_functions.replace(vector(arguments[0], at), *map(text, arguments[1:]))
        case "label_join":
            return label_functions.join(vector(arguments[0], at), *map(text, arguments[1:]))
        case "histogram_quantile" | "histogram_fraction":
            numbers = [scalar_of(argument, at) for argument in arguments[:-1]]
            return _histogram(name, numbers, vector(arguments[-1], at))
        case _:
            numbers = [scalar_of(argument, at) for argument in arguments[1:]]
            return _bounded(name, vector(arguments[0], at), numbers)


def _mapped(function: Callable[[float], float], points: Sequence[Point]) -> list[Point]:
    return [(labels.nameless(), function(value)) for labels, value in points]


def _calendar(name: str, points: Sequence[Point]) -> list[Point]:
    part = calendar.PARTS[name]
    return _mapped(lambda value: float(part(calendar.moment(value))), points)


def _bounded(name: str, points: Sequence[Point], numbers: Sequence[float]) -> list[Point]:
    """`clamp`, `clamp_min`, `clamp_max`, `round`."""
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
