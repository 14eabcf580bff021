"""Functions of a window: samples of one series, oldest first, at least one; at most one float comes out."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runner.promql import floats


class Window(NamedTuple):
    """One series between *start* (exclusive) and *end* (inclusive); all times are milliseconds.

    *at* is the moment of the evaluation, which `offset` and `@` separate from *end*.
    """

    timestamps: Sequence[int]
    values: Sequence[float]
    start: int
    end: int
    at: int


def rate(window: Window) -> float | None:
    """Increase per second."""
    if len(window.values) < 2:
        return None
    rise = _rise(window.values)
    return rise * (_extrapolation(window, rise, is_counter=True) / ((window.end - window.start) / 1000))


def increase(window: Window) -> float | None:
    """How far a counter rose, resets added back, extrapolated to the whole range."""
    if len(window.values) < 2:
        return None
    rise = _rise(window.values)
    return rise * _extrapolation(window, rise, is_counter=True)


def _rise(values: Sequence[float]) -> float:
    rise = values[-1] - values[0]
    previous = values[0]
    for value in values:
        if value < previous:
            rise += previous
        previous = value
    return rise


def delta(window: Window) -> float | None:
    """How far a gauge moved, extrapolated to the whole range."""
    if len(window.values) < 2:
        return None
    moved = window.values[-1] - window.values[0]
    return moved * _extrapolation(window, moved, is_counter=False)


def _extrapolation(window: Window, change: float, *, is_counter: bool) -> float:
    """The factor from the sampled interval to the range (Prometheus: promql/functions.go, extrapolatedRate).

    A gap to the edge of up to 1.1 times the mean distance of samples is filled, a longer one by half that
    distance; a counter is not extended below its zero.
    """
    sampled = (window.timestamps[-1] - window.timestamps[0]) / 1000
    distance = sampled / (len(window.timestamps) - 1)
    to_start = (window.timestamps[0] - window.start) / 1000
    to_end = (window.end - window.timestamps[-1]) / 1000
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if is_counter and change > 0 and window.values[0] >= 0:
        to_start = min(to_start, sampled * (window.values[0] / change))
    if to_end >= distance * 1.1:
        to_end = distance / 2
    return (sampled + to_start + to_end) / sampled


def irate(window: Window) -> float | None:
    """Rate between the last two samples of a counter."""
    if len(window.values) < 2:
        return None
    seconds = (window.timestamps[-1] - window.timestamps[-2]) / 1000
    before, last = window.values[-2], window.values[-1]
    return (last if last < before else last - before) / seconds


def idelta(window: Window) -> float | None:
    """Difference of the last two samples of a gauge."""
    return window.values[-1] - window.values[-2] if len(window.values) > 1 else None


def changes(window: Window) -> float | None:
    """How often the value changed; from NaN to NaN is no change."""
    count = 0
    previous = window.values[0]
    for value in window.values:
        if value != previous and not (math.isnan(value) and math.isnan(previous)):
            count += 1
        previous = value
    return float(count)


def resets(window: Window) -> float | None:
    """How often a counter fell."""
    count = 0
    previous = window.values[0]
    for value in window.values:
        count += value < previous
        previous = value
    return float(count)


def deriv(window: Window) -> float | None:
    """Slope per second of the least-squares line."""
    if len(window.values) < 2:
        return None
    return _regression(window, window.timestamps[0])[0]


def predict_linear(window: Window, ahead: float) -> float | None:
    """The least-squares line *ahead* seconds after the evaluation."""
    if len(window.values) < 2:
        return None
    slope, intercept = _regression(window, window.at)
    return slope * ahead + intercept


def _regression(window: Window, origin: int) -> tuple[float, float]:
    """Slope and value at *origin* of the least-squares line."""
    values = window.values
    if all(value == values[0] for value in values):
        return (floats.NAN, floats.NAN) if math.isinf(values[0]) else (0.0, values[0])
    xs = [(at - origin) / 1000 for at in window.timestamps]
    count = float(len(xs))
    sum_x, sum_y = floats.plain_total(xs), floats.plain_total(values)
    sum_xy = floats.plain_total([x * y for x, y in zip(xs, values, strict=True)])
    sum_xx = floats.plain_total([x * x for x in xs])
    slope = floats.divide(sum_xy - sum_x * sum_y / count, sum_xx - sum_x * sum_x / count)
    return slope, sum_y / count - slope * sum_x / count


def variance(window: Window) -> float:
    """Population variance, by Welford's method with compensated sums."""
    average = average_lost = spread = spread_lost = 0.0
    for count, value in enumerate(window.values, start=1):
        distance = value - (average + average_lost)
        average, average_lost = floats.increment(distance / count, average, average_lost)
        step = distance * (value - (average + average_lost))
        spread, spread_lost = floats.increment(step, spread, spread_lost)
    return (spread + spread_lost) / len(window.values)


def quantile(window: Window, rank: float) -> float:
    """The *rank*-quantile of the values."""
    return floats.quantile(rank, window.values)


WINDOW_FUNCTIONS: dict[str, Callable[[Window], float | None]] = {
    "absent_over_time": lambda _: 1.0,
    "avg_over_time": lambda window: floats.mean(window.values),
    "changes": changes,
    "count_over_time": lambda window: float(len(window.values)),
    "delta": delta,
    "deriv": deriv,
    "first_over_time": lambda window: window.values[0],
    "idelta": idelta,
    "increase": increase,
    "irate": irate,
    "last_over_time": lambda window: window.values[-1],
    "max_over_time": lambda window: floats.largest(window.values),
    "min_over_time": lambda window: floats.smallest(window.values),
    "present_over_time": lambda _: 1.0,
    "rate": rate,
    "resets": resets,
    "stddev_over_time": lambda window: floats.ELEMENTWISE["sqrt"](variance(window)),
    "stdvar_over_time": variance,
    "sum_over_time": lambda window: floats.total(window.values),
}

PARAMETERISED: dict[str, Callable[[Window, float], float | None]] = {
    "predict_linear": predict_linear,
    "quantile_over_time": quantile,
}

SAMPLE_WORK: dict[str, float] = {
    **dict.fromkeys(WINDOW_FUNCTIONS, 0.4),
    **dict.fromkeys(["avg_over_time", "sum_over_time"], 1.5),
    **dict.fromkeys(["deriv", "predict_linear", "stddev_over_time", "stdvar_over_time"], 8.0),
    "quantile_over_time": 1.5,
}
"""What a sample costs in a window of each function, in units of `runner.promql.budget`."""
