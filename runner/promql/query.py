"""Instant and range queries: text, storage and times in, an answer out."""

from runner.promql.answers import Answer, Matrix, Points, Sample, Scalar, Text, Vector
from runner.promql.budget import Budget, Limits
from runner.promql.errors import ParameterError
from runner.promql.evaluation import Evaluation
from runner.promql.extended import cut
from runner.promql.labels import Labels
from runner.promql.over_time import Window
from runner.promql.spans import milliseconds
from runner.promql.storage import Storage
from runner.promql.syntax import parse
from runner.promql.tree import Kind, Node, Range, String, Subquery, kind_of

DEFAULT_LIMITS = Limits()


def evaluate(expression: str, storage: Storage, at: float, *, limits: Limits = DEFAULT_LIMITS) -> Answer:
    """The answer of *expression* at Unix time *at* in seconds. PromQLError where there is none."""
    tree = parse(expression)
    moment = milliseconds(at)
    evaluation = Evaluation(storage, tree, moment, moment, Budget(limits))
    match kind_of(tree):
        case Kind.TEXT:
            return Text(tree.value if isinstance(tree, String) else "", moment)
        case Kind.SCALAR:
            return Scalar(evaluation.scalar(tree, moment), moment)
        case Kind.VECTOR:
            return Vector(tuple(Sample(*point) for point in evaluation.vector(tree, moment)), moment)
        case Kind.MATRIX:
            return _windows(tree, evaluation, moment)


def _windows(tree: Node, evaluation: Evaluation, moment: int) -> Matrix:
    assert isinstance(tree, Range | Subquery)  # noqa: S101 - the only range vectors there are
    series: list[Points] = []
    for labels, window in evaluation.windows(tree, moment):
        shown = _cut(tree, window)
        if shown is not None:
            series.append(Points(labels, tuple(zip(shown.timestamps, shown.values, strict=True))))
    return Matrix(tuple(sorted(series, key=lambda points: points.labels.pairs)))


def _cut(tree: Range | Subquery, window: Window) -> Window | None:
    extension = tree.selector.extension if isinstance(tree, Range) else None
    return window if extension is None else cut(window, extension)


def evaluate_range(
    expression: str,
    storage: Storage,
    start: float,
    end: float,
    step: float,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Matrix:
    """The answers of *expression* from *start* to *end* every *step*, all in seconds.

    PromQLError where there are none.
    """
    tree = parse(expression)
    moments = _moments(milliseconds(start), milliseconds(end), milliseconds(step), limits)
    kind = kind_of(tree)
    if kind not in (Kind.SCALAR, Kind.VECTOR):
        raise ParameterError(
            f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
        )
    budget = Budget(limits)
    evaluation = Evaluation(storage, tree, moments.start, milliseconds(end), budget)
    collected: dict[Labels, list[tuple[int, float]]] = {}
    for moment in moments:
        points = evaluation.points(tree, moment)
        budget.hold(len(points))
        for labels, value in points:
            collected.setdefault(labels, []).append((moment, value))
    series = [Points(labels, tuple(points)) for labels, points in collected.items()]
    return Matrix(tuple(sorted(series, key=lambda points: points.labels.pairs)))


def _moments(start: int, end: int, step: int, limits: Limits) -> range:
    if end < start:
        raise ParameterError("end timestamp must not be before start timestamp")
    if step <= 0:
        raise ParameterError(
            "zero or negative query resolution step widths are not accepted", hint="give a positive step"
        )
    if (end - start) // step > limits.steps:
        raise ParameterError(
            f"exceeded maximum resolution of {limits.steps:,} points per timeseries", hint="lengthen the step"
        )
    return range(start, end + 1, step)
