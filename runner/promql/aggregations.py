"""Aggregation operators: many series in, one per group out; topk and bottomk keep whole series."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from runner.promql import floats
from runner.promql.answers import format_float
from runner.promql.errors import EvaluationError
from runner.promql.labels import EMPTY, METADATA, Labels

Point = tuple[Labels, float]

_MAX_INT = 2.0**63


def grouping(labels: tuple[str, ...], *, without: bool) -> Callable[[Labels], Labels]:
    """The labels of the group that a series belongs to."""
    if without:
        dropped = tuple(sorted({*labels, *METADATA}))
        return lambda of: of.without(dropped)
    if not labels:
        return lambda _: EMPTY
    return lambda of: of.only(labels)


def groups(points: Iterable[Point], group_of: Callable[[Labels], Labels]) -> dict[Labels, list[Point]]:
    """Points by group, groups in the order they are first met."""
    found: dict[Labels, list[Point]] = {}
    for point in points:
        group = group_of(point[0])
        members = found.get(group)
        if members is None:
            found[group] = [point]
        else:
            members.append(point)
    return found


def _variance(values: Sequence[float]) -> float:
    """Population variance by Welford's method; NaN where the first value is not finite, as in Prometheus."""
    average = values[0]
    spread = 0.0 if math.isfinite(values[0]) else floats.NAN
    for count, value in enumerate(values[1:], start=2):
        distance = value - average
        average += distance / count
        spread += distance * (value - average)
    return spread / len(values)


def _deviation(values: Sequence[float]) -> float:
    return floats.ELEMENTWISE["sqrt"](_variance(values))


AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": floats.mean,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "max": floats.largest,
    "min": floats.smallest,
    "stddev": _deviation,
    "stdvar": _variance,
    "sum": floats.plain_total,
}


def aggregate(operator: str, points: Iterable[Point], group_of: Callable[[Labels], Labels]) -> list[Point]:
    """One value per group."""
    function = AGGREGATES[operator]
    return [
        (group, function([value for _, value in members]))
        for group, members in groups(points, group_of).items()
    ]


def quantile(rank: float, points: Iterable[Point], group_of: Callable[[Labels], Labels]) -> list[Point]:
    """The *rank*-quantile of every group."""
    return [
        (group, floats.quantile(rank, [value for _, value in members]))
        for group, members in groups(points, group_of).items()
    ]


def count_values(
    label: str, points: Iterable[Point], labels: tuple[str, ...], *, without: bool
) -> list[Point]:
    """How many series of a group have the same value; the value goes into *label*."""
    if without:
        group_of = grouping((*labels, label), without=True)
        is_shown = label not in labels and label not in METADATA
    else:
        group_of = grouping(tuple(name for name in labels if name != label), without=False)
        is_shown = True
    counted = Counter((group_of(of), format_float(value)) for of, value in points)
    return [
        (group.replacing(label, value) if is_shown else group, float(count))
        for (group, value), count in counted.items()
    ]


def select_extremes(
    operator: str, wanted: float, points: Sequence[Point], group_of: Callable[[Labels], Labels]
) -> list[Point]:
    """topk or bottomk: the *wanted* best of each group, best first. EvaluationError for no sane number."""
    if wanted < 1:
        return []
    if math.isnan(wanted):
        raise EvaluationError("Parameter value is NaN")
    if wanted >= _MAX_INT:
        raise EvaluationError(f"Scalar value {wanted:g} overflows int64")
    worse = _worse_top if operator == "topk" else _worse_bottom
    best: list[Point] = []
    for members in groups(points, group_of).values():
        best.extend(_best(members, min(int(wanted), len(points)), worse))
    return best


def _worse_top(left: float, right: float) -> bool:
    return math.isnan(left) or left < right


def _worse_bottom(left: float, right: float) -> bool:
    return math.isnan(left) or left > right


def _best(members: Sequence[Point], wanted: int, worse: Callable[[float, float], bool]) -> list[Point]:
    """The *wanted* best by a heap with the worst on top.

    The heap sifts as Go's container/heap does, so that of equal values the same series stay.
    """
    heap: list[Point] = []
    for point in members:
        if len(heap) < wanted:
            heap.append(point)
            _sift_up(heap, worse)
        elif worse(heap[0][1], point[1]) and not math.isnan(point[1]):
            heap[0] = point
            _sift_down(heap, worse)
    return _best_first(heap, worse)


def _sift_up(heap: list[Point], worse: Callable[[float, float], bool]) -> None:
    child = len(heap) - 1
    while child > 0:
        parent = (child - 1) // 2
        if not worse(heap[child][1], heap[parent][1]):
            return
        heap[child], heap[parent] = heap[parent], heap[child]
        child = parent


def _sift_down(heap: list[Point], worse: Callable[[float, float], bool]) -> None:
    parent = 0
    while (child := 2 * parent + 1) < len(heap):
        if child + 1 < len(heap) and worse(heap[child + 1][1], heap[child][1]):
            child += 1
        if not worse(heap[child][1], heap[parent][1]):
            return
        heap[child], heap[parent] = heap[parent], heap[child]
        parent = child


def _best_first(heap: list[Point], worse: Callable[[float, float], bool]) -> list[Point]:
    numbers = [point for point in heap if not math.isnan(point[1])]
    rest = [point for point in heap if math.isnan(point[1])]
    descending = worse is _worse_top
    return sorted(numbers, key=lambda point: point[1], reverse=descending) + rest
