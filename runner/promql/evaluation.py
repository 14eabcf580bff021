"""Evaluates a tree over a storage, step by step.

An instant query is one step; a range query evaluates the whole tree anew at each step, with what does not
depend on the step (selected series, subquery points, rewritten labels) remembered between steps.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import assert_never

from runner.promql import aggregations, extended, functions, matching
from runner.promql.budget import POINT_WORK, STEP_WORK, WINDOW_WORK, Budget
from runner.promql.catalogue import NAME_KEEPING, OVER_TIME
from runner.promql.errors import EvaluationError
from runner.promql.floats import has_nan
from runner.promql.labels import EMPTY, Labels
from runner.promql.over_time import PARAMETERISED, SAMPLE_WORK, WINDOW_FUNCTIONS, Window
from runner.promql.spans import LOOKBACK, SUBQUERY_STEP, Scope, reach, spans
from runner.promql.storage import Series, Storage, is_stale
from runner.promql.tree import (
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Extension,
    Kind,
    Negation,
    Node,
    Number,
    Range,
    Selector,
    String,
    Subquery,
    kind_of,
)

Point = tuple[Labels, float]

DUPLICATES = "vector cannot contain metrics with the same labelset"


class Evaluation:
    """One query on one storage from *start* to *end*, in milliseconds."""

    def __init__(self, storage: Storage, tree: Node, start: int, end: int, budget: Budget) -> None:
        self._scope = Scope(start, end, start, end)
        self._budget = budget
        self._series: dict[Selector, Sequence[Series]] = {}
        self._subquery_points: dict[Subquery, dict[int, list[Point]]] = {}
        self._functions = functions.Functions(self.vector, self.scalar)
        for span in spans(tree, start, end):
            for matcher in span.selector.matchers:
                if matcher.pattern is not None:
                    matcher.pattern.refill()
            self._series[span.selector] = storage.select(span.selector.matchers, span.start, span.end)
            budget.check_series(len(self._series[span.selector]))

    def scalar(self, node: Node, at: int) -> float:
        """The number of a scalar expression at *at*."""
        self._budget.spend(STEP_WORK)
        match node:
            case Number(value=value):
                return value
            case Negation(expression=expression):
                return -self.scalar(expression, at)
            case Binary(operator=operator, left=left, right=right):
                return matching.between_scalars(operator, self.scalar(left, at), self.scalar(right, at))
            case Call(function="scalar", arguments=(argument,)):
                return functions.scalar(self.vector(argument, at))
            case Call(function=function):
                return functions.constant(function, at)
            case _:
                raise AssertionError(f"{type(node).__name__} is no scalar")

    def vector(self, node: Node, at: int) -> list[Point]:
        """The points of an instant vector at *at*."""
        match node:
            case Selector():
                points = self._selected(node, self._moment(node, at))
            case Call():
                points = self._call(node, at)
            case Aggregation():
                points = self._aggregation(node, at)
            case Negation(expression=expression):
                points = unique([(of.nameless(), -value) for of, value in self.vector(expression, at)])
            case Binary():
                points = unique(self._binary(node, at))
            case Number() | String() | Range() | Subquery():
                raise AssertionError(f"{type(node).__name__} is no instant vector")
            case _:
                assert_never(node)
        self._budget.spend(len(points) * POINT_WORK + STEP_WORK)
        return points

    def points(self, node: Node, at: int) -> list[Point]:
        """A vector, or a scalar as the vector of one point without labels."""
        if kind_of(node) is Kind.SCALAR:
            return [(EMPTY, self.scalar(node, at))]
        return self.vector(node, at)

    def windows(self, node: Range | Subquery, at: int, work: float = 1) -> Iterator[tuple[Labels, Window]]:
        """The non-empty windows of a range vector at *at*; *work* is what one sample costs."""
        found = (
            self._subquery_windows(node, at) if isinstance(node, Subquery) else self._range_windows(node, at)
        )
        for labels, window in found:
            self._budget.spend(WINDOW_WORK + len(window.values) * work)
            yield labels, window

    def _selected(self, selector: Selector, moment: int) -> list[Point]:
        if selector.extension is not Extension.SMOOTHED:
            return [(labels, value) for labels, _, value in self._instant(selector, moment)]
        self._budget.spend(len(self._series[selector]) * WINDOW_WORK)
        points: list[Point] = []
        around = self._sliced(selector, moment - LOOKBACK, moment + LOOKBACK)
        for labels, timestamps, values in around:
            value = extended.smoothed_value(timestamps, values, moment)
            if value is not None:
                points.append((labels, value))
        return points

    def _instant(self, selector: Selector, moment: int) -> Iterator[tuple[Labels, int, float]]:
        series_found = self._series[selector]
        self._budget.spend(len(series_found) * POINT_WORK)
        for series in series_found:
            index = bisect_right(series.timestamps, moment) - 1
            if index < 0 or series.timestamps[index] <= moment - LOOKBACK:
                continue
            value = series.values[index]
            if not is_stale(value):
                yield series.labels, series.timestamps[index], value

    def _moment(self, node: Selector | Subquery, at: int) -> int:
        fixed = self._scope.moment(node.at)
        return (at if fixed is None else fixed) - node.offset

    def _range_windows(self, node: Range, at: int) -> Iterator[tuple[Labels, Window]]:
        end = self._moment(node.selector, at)
        start = end - node.duration
        before, after = reach(node.selector.extension)
        for labels, timestamps, values in self._sliced(node.selector, start - before, end + after):
            yield labels, Window(timestamps, values, start, end, at)

    def _sliced(
        self, selector: Selector, start: int, end: int
    ) -> Iterator[tuple[Labels, Sequence[int], Sequence[float]]]:
        """The samples after *start* and up to *end* of each series that has some, markers left out."""
        for series in self._series[selector]:
            times = series.timestamps
            last = bisect_right(times, end)
            first = bisect_right(times, start, 0, last)
            timestamps, values = times[first:last], series.values[first:last]
            if has_nan(values):
                timestamps, values = without_markers(timestamps, values)
            if values:
                yield series.labels, timestamps, values

    def _subquery_windows(self, node: Subquery, at: int) -> Iterator[tuple[Labels, Window]]:
        end = self._moment(node, at)
        start = end - node.duration
        collected: dict[Labels, tuple[list[int], list[float]]] = {}
        for moment, points in self._inner(node, start, end):
            self._budget.spend(len(points) * 3 + 1)
            for labels, value in points:
                timestamps, values = collected.setdefault(labels, ([], []))
                timestamps.append(moment)
                values.append(value)
        for labels, (timestamps, values) in collected.items():
            yield labels, Window(timestamps, values, start, end, at)

    def _inner(self, node: Subquery, start: int, end: int) -> Iterator[tuple[int, list[Point]]]:
        """The inner expression at the multiples of the step after *start*, up to *end*."""
        step = node.step or SUBQUERY_STEP
        known = self._subquery_points.setdefault(node, {})
        moments = range(start - start % step + step, end + 1, step)
        if len(moments) > self._budget.limits.samples:  # each holds one at least: refused before the work
            self._budget.hold(len(moments))
        for moment in moments:
            points = known.get(moment)
            if points is None:
                points = known[moment] = self.points(node.expression, moment)
                self._budget.hold(len(points) + 1)
            yield moment, points

    def _call(self, call: Call, at: int) -> list[Point]:
        if call.function in OVER_TIME:
            return unique(self._over_time(call, at))
        if call.function == "absent_over_time":
            return self._absent_over_time(call, at)
        if call.function == "timestamp" and isinstance(call.arguments[0], Selector):
            return unique(self._timestamps(call.arguments[0], at))
        return unique(self._functions.call(call, at))

    def _timestamps(self, selector: Selector, at: int) -> list[Point]:
        """When the selected samples were taken; under `@`, Prometheus drops the offset here."""
        fixed = self._scope.moment(selector.at)
        moment = self._moment(selector, at) if fixed is None else fixed
        return [(labels.nameless(), taken / 1000) for labels, taken, _ in self._instant(selector, moment)]

    def _over_time(self, call: Call, at: int) -> list[Point]:
        argument = ranged(call)
        compute = self._window_function(call, argument, at)
        keeps_name = call.function in NAME_KEEPING
        out: list[Point] = []
        for labels, window in self.windows(argument, at, SAMPLE_WORK[call.function]):
            value = compute(window)
            if value is not None:
                out.append((labels if keeps_name else labels.nameless(), value))
        return out

    def _window_function(
        self, call: Call, argument: Range | Subquery, at: int
    ) -> Callable[[Window], float | None]:
        if isinstance(argument, Range) and argument.selector.extension is not None:
            return extended.function(call.function, argument.selector.extension)
        parameterised = PARAMETERISED.get(call.function)
        if parameterised is None:
            return WINDOW_FUNCTIONS[call.function]
        parameter = self.scalar(next(a for a in call.arguments if not isinstance(a, Range | Subquery)), at)
        return lambda window: parameterised(window, parameter)

    def _absent_over_time(self, call: Call, at: int) -> list[Point]:
        argument = ranged(call)
        if isinstance(argument, Range) and argument.selector.extension is not None:
            extended.function(call.function, argument.selector.extension)
        if any(True for _ in self.windows(argument, at)):
            return []
        return [(functions.absent_labels(argument), 1.0)]

    def _aggregation(self, node: Aggregation, at: int) -> list[Point]:
        group_of = aggregations.grouping(node.labels, without=node.without)
        match node.operator:
            case "topk" | "bottomk":
                wanted = self._parameter(node, at)
                points = self.vector(node.expression, at)
                return aggregations.select_extremes(node.operator, wanted, points, group_of)
            case "quantile":
                rank = self._parameter(node, at)
                return aggregations.quantile(rank, self.vector(node.expression, at), group_of)
            case "count_values":
                return self._count_values(node, at)
            case _:
                return aggregations.aggregate(node.operator, self.vector(node.expression, at), group_of)

    def _parameter(self, node: Aggregation, at: int) -> float:
        assert node.parameter is not None  # noqa: S101 - the parser refuses these operators without one
        return self.scalar(node.parameter, at)

    def _count_values(self, node: Aggregation, at: int) -> list[Point]:
        label = functions.text(node.parameter)
        functions.check_label(label, "invalid label name")
        points = self.vector(node.expression, at)
        self._budget.spend(len(points) * 3 * POINT_WORK)
        return unique(aggregations.count_values(label, points, node.labels, without=node.without))

    def _binary(self, node: Binary, at: int) -> list[Point]:
        if kind_of(node.left) is Kind.SCALAR:
            number = self.scalar(node.left, at)
            return matching.with_scalar(node, self.vector(node.right, at), number, scalar_left=True)
        left = self.vector(node.left, at)
        if kind_of(node.right) is Kind.SCALAR:
            return matching.with_scalar(node, left, self.scalar(node.right, at), scalar_left=False)
        right = self.vector(node.right, at)
        if node.operator in SET_OPERATORS:
            return matching.combine_sets(node, left, right)
        return matching.between_vectors(node, left, right)


def ranged(call: Call) -> Range | Subquery:
    """The range vector among the arguments of *call*."""
    return next(argument for argument in call.arguments if isinstance(argument, Range | Subquery))


def without_markers(
    timestamps: Sequence[int], values: Sequence[float]
) -> tuple[Sequence[int], Sequence[float]]:
    """The samples that are no staleness markers."""
    kept = [(at, value) for at, value in zip(timestamps, values, strict=True) if not is_stale(value)]
    return [at for at, _ in kept], [value for _, value in kept]


def unique(points: list[Point]) -> list[Point]:
    """*points*, unless two of them have the same labels: EvaluationError."""
    if len(points) > 1 and len({labels for labels, _ in points}) != len(points):
        raise EvaluationError(DUPLICATES)
    return points
