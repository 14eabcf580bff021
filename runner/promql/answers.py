"""What an evaluation answers: frozen values, and the Prometheus HTTP API's JSON for them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from runner.promql.errors import PromQLError
from runner.promql.labels import Labels


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at the time of the evaluation."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Vector:
    """One value per series, all *at* the same Unix time in milliseconds."""

    samples: tuple[Sample, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number without labels."""

    value: float
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, evaluated."""

    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Points:
    """One series over time: pairs of Unix milliseconds and value, oldest first."""

    labels: Labels
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Several values per series, sorted by labels."""

    series: tuple[Points, ...]


Answer = Vector | Scalar | Text | Matrix


def to_api(answer: Answer | PromQLError) -> dict[str, Any]:
    """The JSON body that Prometheus' `/api/v1/query` or `/api/v1/query_range` would send."""
    if isinstance(answer, PromQLError):
        return {"status": "error", "errorType": answer.error_type, "error": answer.message}
    kind, result = _result(answer)
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def _result(answer: Answer) -> tuple[str, Any]:
    match answer:
        case Vector(samples=samples, at=at):
            return "vector", [
                {"metric": _metric(sample.labels), "value": _pair(at, sample.value)} for sample in samples
            ]
        case Scalar(value=value, at=at):
            return "scalar", _pair(at, value)
        case Text(value=text, at=at):
            return "string", [_seconds(at), text]
        case Matrix(series=series):
            return "matrix", [_stream(points) for points in series]
        case _:
            assert_never(answer)


def _stream(points: Points) -> dict[str, Any]:
    return {"metric": _metric(points.labels), "values": [_pair(at, value) for at, value in points.points]}


def _metric(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(labels)


def _pair(at: int, value: float) -> list[Any]:
    return [_seconds(at), format_float(value)]


def _seconds(at: int) -> int | float:
    return at / 1000 if at % 1000 else at // 1000


def format_float(value: float) -> str:
    """As Go's strconv.FormatFloat(value, 'f', -1, 64): shortest digits that read back, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = repr(value)
    if "e" in shortest:
        shortest = format(Decimal(shortest), "f")
    return shortest.removesuffix(".0")
