"""Binary operators between vectors: who meets whom, and the labels of what comes out."""

import math
from collections.abc import Callable, Sequence

from runner.promql import floats
from runner.promql.errors import EvaluationError
from runner.promql.labels import METADATA, Labels
from runner.promql.tree import COMPARISONS, Binary, Cardinality, Matching

Point = tuple[Labels, float]

ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": floats.divide,
    "%": floats.modulo,
    "^": floats.power,
    "atan2": math.atan2,
}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def between_scalars(operator: str, left: float, right: float) -> float:
    """One number; a comparison is 0 or 1."""
    if operator in COMPARISONS:
        return float(COMPARE[operator](left, right))
    return ARITHMETIC[operator](left, right)


def with_scalar(node: Binary, points: Sequence[Point], scalar: float, *, scalar_left: bool) -> list[Point]:
    """The operator between each point and *scalar*; a comparison filters, keeping the points' own values."""
    if node.operator not in COMPARISONS:
        compute = ARITHMETIC[node.operator]
        if scalar_left:
            return [(labels.nameless(), compute(scalar, value)) for labels, value in points]
        return [(labels.nameless(), compute(value, scalar)) for labels, value in points]
    holds = COMPARE[node.operator]
    outcomes = [holds(scalar, value) if scalar_left else holds(value, scalar) for _, value in points]
    if node.returns_bool:
        return [
            (labels.nameless(), float(outcome)) for (labels, _), outcome in zip(points, outcomes, strict=True)
        ]
    return [point for point, outcome in zip(points, outcomes, strict=True) if outcome]


def signature(matching: Matching) -> Callable[[Labels], Labels]:
    """The labels that both sides must share."""
    if matching.on:
        return lambda of: of.only(matching.labels)
    dropped = tuple(sorted({*matching.labels, *METADATA}))
    return lambda of: of.without(dropped)


def combine_sets(node: Binary, left: Sequence[Point], right: Sequence[Point]) -> list[Point]:
    """`and`, `or`, `unless`."""
    sign = signature(node.matching)
    if node.operator == "or":
        present = {sign(labels) for labels, _ in left}
        return [*left, *(point for point in right if sign(point[0]) not in present)]
    present = {sign(labels) for labels, _ in right}
    wanted = node.operator == "and"
    return [point for point in left if (sign(point[0]) in present) is wanted]


def between_vectors(node: Binary, left: Sequence[Point], right: Sequence[Point]) -> list[Point]:
    """Arithmetic or comparison of the points that match. EvaluationError where the matching is not unique."""
    if not left or not right:
        return []
    swapped = node.matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    sign = signature(node.matching)
    partners = _partners(node.matching, one, sign)
    seen: set[Labels] | set[tuple[Labels, Labels]] = set()
    out: list[Point] = []
    for labels, value in many:
        match_group = sign(labels)
        partner = partners.get(match_group)
        if partner is None:
            continue
        metric = _result_labels(node, labels, partner[0])
        _check_unique(node.matching, seen, match_group, metric)
        result = _apply(node, partner[1], value) if swapped else _apply(node, value, partner[1])
        if result is not None:
            out.append((metric, result))
    return out


def _partners(
    matching: Matching, one: Sequence[Point], sign: Callable[[Labels], Labels]
) -> dict[Labels, Point]:
    partners: dict[Labels, Point] = {}
    for point in one:
        group = sign(point[0])
        if group in partners:
            side = "left" if matching.cardinality is Cardinality.ONE_TO_MANY else "right"
            pair = ", ".join(sorted((repr(point[0]), repr(partners[group][0]))))
            raise EvaluationError(
                f"found duplicate series for the match group {group!r} on the {side} hand-side of the "
                f"operation: [{pair}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
        partners[group] = point
    return partners


def _check_unique(
    matching: Matching, seen: set[Labels] | set[tuple[Labels, Labels]], match_group: Labels, metric: Labels
) -> None:
    one_to_one = matching.cardinality is Cardinality.ONE_TO_ONE
    key = match_group if one_to_one else (match_group, metric)
    if key in seen:
        if one_to_one:
            raise EvaluationError(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        raise EvaluationError("multiple matches for labels: grouping labels must ensure unique matches")
    seen.add(key)  # type: ignore[arg-type]  # one kind of key per call


def _result_labels(node: Binary, many: Labels, one: Labels) -> Labels:
    matching = node.matching
    changes_meaning = node.operator not in COMPARISONS or node.returns_bool
    labels = many.nameless() if changes_meaning else many
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        labels = labels.only(matching.labels) if matching.on else labels.without(matching.labels)
    for name in matching.include:
        labels = labels.replacing(name, one.value(name))
    return labels


def _apply(node: Binary, left: float, right: float) -> float | None:
    if node.operator not in COMPARISONS:
        return ARITHMETIC[node.operator](left, right)
    holds = COMPARE[node.operator](left, right)
    if node.returns_bool:
        return float(holds)
    return left if holds else None
