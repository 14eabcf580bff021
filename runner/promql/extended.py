"""Windows of `anchored` and `smoothed` selectors, which also hold samples around the range.

Anchored takes the last sample before the range as its left edge; smoothed interpolates at both edges
(Prometheus 3.16: promql/functions.go, extendedRate). Nothing is extrapolated.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runner.promql.errors import EvaluationError
from runner.promql.over_time import Window, changes, resets
from runner.promql.tree import Extension


class Edges(NamedTuple):
    """The values at both edges of the range, and the samples strictly between them."""

    left: float
    right: float
    timestamps: Sequence[int]
    inside: Sequence[float]


def edges(window: Window, extension: Extension, *, is_counter: bool) -> Edges | None:
    """The edges of *window*; None where no sample tells anything about the range."""
    times, values = window.timestamps, window.values
    last = len(times) - 1
    first = max(0, bisect_right(times, window.start, 0, last) - 1)
    is_smoothed = extension is Extension.SMOOTHED
    if is_smoothed:
        last = bisect_left(times, window.end, 0, last)
    if times[last] <= window.start:
        return None
    left, right = values[first], values[last]
    if times[first] < window.start and is_smoothed:
        left = _between(window, first, window.start, is_counter=is_counter)
    if times[last] > window.end and last > 0:
        right = _between(window, last - 1, window.end, is_counter=is_counter)
    inside = slice(first + (times[first] <= window.start), last + (times[last] < window.end))
    return Edges(left, right, times[inside], values[inside])


def _between(window: Window, before: int, at: int, *, is_counter: bool) -> float:
    """The value at *at*, on the line from the sample at index *before* to the next one."""
    start, end = window.timestamps[before], window.timestamps[before + 1]
    low, high = window.values[before], window.values[before + 1]
    if is_counter and high < low:
        low = 0.0
    return low + (high - low) * (at - start) / (end - start)


def _increase(window: Window, extension: Extension) -> float | None:
    found = edges(window, extension, is_counter=True)
    if found is None or window.timestamps[0] > window.end:
        return None
    lost = 0.0
    previous = found.left
    for value in (*found.inside, found.right):
        if value < previous:
            lost += previous
        previous = value
    return found.right - found.left + lost


def _rate(window: Window, extension: Extension) -> float | None:
    rise = _increase(window, extension)
    return None if rise is None else rise / ((window.end - window.start) / 1000)


def _delta(window: Window, extension: Extension) -> float | None:
    found = edges(window, extension, is_counter=False)
    if found is None or window.timestamps[0] > window.end:
        return None
    return found.right - found.left


def _from_anchor(compute: Callable[[Window], float | None]) -> Callable[[Window, Extension], float | None]:
    """*compute* on the samples of the range and the last one before it."""

    def anchored(window: Window, _: Extension) -> float | None:
        first = bisect_right(window.timestamps, window.start)
        if first == len(window.timestamps):
            return None
        start = max(0, first - 1)
        kept = window._replace(timestamps=window.timestamps[start:], values=window.values[start:])
        return compute(kept)

    return anchored


_ANCHORED: dict[str, Callable[[Window, Extension], float | None]] = {
    "changes": _from_anchor(changes),
    "delta": _delta,
    "increase": _increase,
    "rate": _rate,
    "resets": _from_anchor(resets),
}
_SMOOTHED = {name: _ANCHORED[name] for name in ("delta", "increase", "rate")}


def function(name: str, extension: Extension) -> Callable[[Window], float | None]:
    """The function *name* for such windows. EvaluationError where there is none."""
    known = _SMOOTHED if extension is Extension.SMOOTHED else _ANCHORED
    if name not in known:
        raise EvaluationError(
            f"{extension} modifier can only be used with: {', '.join(known)} - not with {name}"
        )
    return lambda window: known[name](window, extension)


def cut(window: Window, extension: Extension) -> Window | None:
    """*window* from edge to edge, each with its value; None where nothing is known about the range."""
    found = edges(window, extension, is_counter=False)
    if found is None:
        return None
    timestamps = [window.start, *found.timestamps, window.end]
    return window._replace(timestamps=timestamps, values=[found.left, *found.inside, found.right])


def smoothed_value(timestamps: Sequence[int], values: Sequence[float], at: int) -> float | None:
    """The value at *at* between the samples around it; the last one where none follows, None where none precedes."""
    index = bisect_left(timestamps, at)
    if index < len(timestamps) and timestamps[index] == at:
        return values[index]
    if index == 0:
        return None
    window = Window(timestamps, values, at, at, at)
    return values[-1] if index == len(timestamps) else _between(window, index - 1, at, is_counter=False)
