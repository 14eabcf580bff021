"""Quantiles and fractions of classic histograms, whose buckets are series with a cumulative `le` label."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.promql import floats
from runner.promql.labels import METADATA, Labels

BUCKET = "le"
TOLERANCE = 1e-12  # Prometheus' smallDeltaTolerance

Point = tuple[Labels, float]

_FLOAT = re.compile(r"[+-]?(?:(?:\d[\d_]*)?\.?\d*(?:[eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE)


@dataclass(slots=True)
class Bucket:
    """How many observations were at most *bound*."""

    bound: float
    count: float


def histograms(points: Iterable[Point]) -> dict[Labels, list[Bucket]]:
    """Buckets by histogram; the key still has the metric name. Series without a numeric `le` are left out."""
    found: dict[Labels, list[Bucket]] = {}
    for labels, value in points:
        bound = _bound(labels.value(BUCKET))
        if bound is not None:
            found.setdefault(labels.without((BUCKET,)), []).append(Bucket(bound, value))
    return found


def _bound(text: str) -> float | None:
    if not _FLOAT.fullmatch(text):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def metric(labels: Labels) -> Labels:
    """The labels of what is computed from a histogram."""
    return labels.without(tuple(sorted({*METADATA, BUCKET})))


def quantile(rank: float, buckets: list[Bucket]) -> float:
    """The *rank*-quantile, linear within a bucket (Prometheus: promql/quantile.go, BucketQuantile)."""
    if math.isnan(rank):
        return floats.NAN
    if rank < 0 or rank > 1:
        return -floats.INF if rank < 0 else floats.INF
    ordered = _ordered(buckets)
    if ordered is None:
        return floats.NAN
    _make_monotonic(ordered)
    if len(ordered) < 2 or ordered[-1].count == 0:
        return floats.NAN
    return _interpolate(rank * ordered[-1].count, ordered)


def _interpolate(wanted: float, ordered: list[Bucket]) -> float:
    index = _search(wanted, ordered)
    if index == len(ordered) - 1:
        return ordered[-2].bound
    if index == 0 and ordered[0].bound <= 0:
        return ordered[0].bound
    start, below = (ordered[index - 1].bound, ordered[index - 1].count) if index else (0.0, 0.0)
    bucket = ordered[index]
    return start + (bucket.bound - start) * floats.divide(wanted - below, bucket.count - below)


def _search(wanted: float, ordered: list[Bucket]) -> int:
    """The first bucket that counts at least *wanted*, else the last; by halving, as NaN counts show."""
    low, high = 0, len(ordered) - 1
    while low < high:
        middle = (low + high) // 2
        if ordered[middle].count >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def _ordered(buckets: list[Bucket]) -> list[Bucket] | None:
    """Buckets by bound, equal bounds added together; None without a last bucket up to +Inf."""
    merged: list[Bucket] = []
    for bucket in sorted(buckets, key=lambda bucket: bucket.bound):
        if merged and merged[-1].bound == bucket.bound:
            merged[-1].count += bucket.count
        else:
            merged.append(Bucket(bucket.bound, bucket.count))
    return merged if merged and merged[-1].bound == floats.INF else None


def _make_monotonic(ordered: list[Bucket]) -> None:
    """Rounding errors and falling counts are levelled with the bucket before."""
    previous = ordered[0].count
    for bucket in ordered[1:]:
        if bucket.count == previous:
            continue
        if _almost_equal(previous, bucket.count) or bucket.count < previous:
            bucket.count = previous
            continue
        previous = bucket.count


def _almost_equal(left: float, right: float) -> bool:
    """Prometheus: util/almost."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    difference = abs(left - right)
    smallest = 2.2250738585072014e-308
    if left == 0 or right == 0 or abs(left) + abs(right) < smallest:
        return difference < TOLERANCE * smallest
    return difference / min(abs(left) + abs(right), 1.7976931348623157e308) < TOLERANCE


def fraction(lower: float, upper: float, buckets: list[Bucket]) -> float:
    """The share of observations above *lower* and up to *upper* (promql/quantile.go, BucketFraction)."""
    ordered = _ordered(buckets)
    if ordered is None:
        return floats.NAN
    count = ordered[-1].count
    if count == 0 or math.isnan(lower) or math.isnan(upper):
        return floats.NAN
    if lower >= upper:
        return 0.0
    return (_rank(upper, ordered) - _rank(lower, ordered)) / count


def _rank(value: float, ordered: list[Bucket]) -> float:
    """How many observations are at most *value*."""
    below = 0.0
    start = 0.0 if ordered[0].bound > 0 else -floats.INF
    for bucket in ordered:
        if start >= value:
            return min(below, ordered[-1].count)
        if bucket.bound > value:
            if start == -floats.INF:
                return min(bucket.count, ordered[-1].count)
            within = below + (bucket.count - below) * (value - start) / (bucket.bound - start)
            return min(within, ordered[-1].count)
        below, start = bucket.count, bucket.bound
    return ordered[-1].count
