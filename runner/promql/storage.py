"""Where samples come from: a small protocol, and a storage in memory that keeps its promise.

Times are whole milliseconds since 1970, as in Prometheus; values are floats. A series ends where a sample
holds `STALE`, the NaN that Prometheus writes when a target or a series disappears.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from runner.promql.labels import NAME, Labels, Matcher, MatchOperator, selects

_STALE_BITS = 0x7FF0000000000002  # value.StaleNaN of github.com/prometheus/prometheus/model/value
STALE: float = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
_STALE_BYTES = struct.pack("<Q", _STALE_BITS)


def is_stale(value: float) -> bool:
    """Whether *value* is the marker that ends a series; other NaNs are ordinary values."""
    return value != value and struct.pack("<d", value) == _STALE_BYTES  # noqa: PLR0124 - the cheap test for NaN


class Series(Protocol):
    """One series: equally long sequences, times strictly increasing, in milliseconds."""

    @property
    def labels(self) -> Labels: ...
    @property
    def timestamps(self) -> Sequence[int]: ...
    @property
    def values(self) -> Sequence[float]: ...


class Storage(Protocol):
    """All that the evaluator asks of the world."""

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> Sequence[Series]:
        """Series that pass every matcher, sorted by labels, with all their samples from *start* to *end*.

        Samples outside the interval may be there too; a series without samples inside need not be.
        """


class MemorySeries:
    """A series that grows at its end."""

    __slots__ = ("labels", "timestamps", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.timestamps: array[int] = array("q")
        self.values: array[float] = array("d")

    def append(self, at: int, value: float) -> None:
        """Add one sample at *at* milliseconds; ValueError unless it is newer than the last one."""
        if self.timestamps and at <= self.timestamps[-1]:
            raise ValueError(f"sample at {at} ms is not newer than the last one at {self.timestamps[-1]} ms")
        self.timestamps.append(at)
        self.values.append(value)

    def forget(self, before: int) -> None:
        """Drop samples older than *before*."""
        gone = bisect_left(self.timestamps, before)
        del self.timestamps[:gone]
        del self.values[:gone]


MAX_REMEMBERED = 512


class MemoryStorage:
    """Series in memory, found by metric name; selections are remembered until a new series appears."""

    def __init__(self) -> None:
        self._series: dict[Labels, MemorySeries] = {}
        self._by_name: dict[str, list[MemorySeries]] = {}
        self._selected: dict[tuple[Matcher, ...], tuple[MemorySeries, ...]] = {}

    def __len__(self) -> int:
        return len(self._series)

    def series(self, labels: Mapping[str, str]) -> MemorySeries:
        """The series with exactly *labels* (and `__name__`), made when missing; keep it to append fast."""
        key = labels if isinstance(labels, Labels) else Labels(labels)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = MemorySeries(key)
            self._by_name.setdefault(key.value(NAME), []).append(found)
            self._selected.clear()
        return found

    def append(self, labels: Mapping[str, str], at: int, value: float) -> None:
        """Add one sample at *at* milliseconds; ValueError unless it is the newest of its series."""
        self.series(labels).append(at, value)

    def forget(self, before: int) -> None:
        """Drop samples older than *before* milliseconds, and series that have none left."""
        for series in self._series.values():
            series.forget(before)
        alive = {labels: series for labels, series in self._series.items() if series.timestamps}
        if len(alive) != len(self._series):
            self._series = alive
            self._by_name = {}
            for series in alive.values():
                self._by_name.setdefault(series.labels.value(NAME), []).append(series)
            self._selected.clear()

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> Sequence[MemorySeries]:  # noqa: ARG002 - all samples are at hand
        """Series that pass every matcher, sorted by labels."""
        found = self._selected.get(matchers)
        if found is None:
            if len(self._selected) >= MAX_REMEMBERED:
                self._selected.clear()
            found = self._selected[matchers] = self._search(matchers)
        return found

    def _search(self, matchers: tuple[Matcher, ...]) -> tuple[MemorySeries, ...]:
        found = [series for series in self._candidates(matchers) if selects(matchers, series.labels)]
        return tuple(sorted(found, key=lambda series: series.labels.pairs))

    def _candidates(self, matchers: tuple[Matcher, ...]) -> Iterable[MemorySeries]:
        for matcher in matchers:
            if matcher.name == NAME and matcher.operator is MatchOperator.EQUAL:
                return self._by_name.get(matcher.value, ())
        return self._series.values()
