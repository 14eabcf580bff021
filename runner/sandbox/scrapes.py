"""Prometheus: scrapes on an interval, and answers queries from what it has scraped."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runner.model.evidence import Answer, NoAnswer, Sample
from runner.model.scenario import MetricsTrouble
from runner.promql import (
    Matcher,
    MatchOperator,
    MemorySeries,
    MemoryStorage,
    PromQLError,
    Scalar,
    Vector,
    evaluate,
    newest_sample,
)
from runner.sandbox.telemetry import Family
from runner.sandbox.traffic import Ledger

PARTIAL = "some series may be missing: a store gave no answer (partial response)"
NEVER = 2**62


@dataclass(slots=True)
class Lives:
    """When each scrape target came and went, in milliseconds; a target that never came is always there."""

    born: dict[str, int] = field(default_factory=dict)
    died: dict[str, int] = field(default_factory=dict)

    def alive(self, target: str, at: int) -> bool:
        """Whether *target* can be scraped at *at*."""
        return self.born.get(target, 0) <= at < self.died.get(target, NEVER)


@dataclass(slots=True)
class History:
    """How Prometheus itself has fared: from each time on the trouble it was in, None when it was well."""

    times: list[int] = field(default_factory=list)
    troubles: list[MetricsTrouble | None] = field(default_factory=list)

    def change(self, at: int, trouble: MetricsTrouble | None) -> None:
        """From *at* on Prometheus is in *trouble*."""
        self.times.append(at)
        self.troubles.append(trouble)

    def at(self, moment: int) -> MetricsTrouble | None:
        """The trouble at *moment*."""
        index = bisect_right(self.times, moment) - 1
        return self.troubles[index] if index >= 0 else None

    def lost(self, moment: int) -> int:
        """The last time up to *moment* when everything scraped before was lost; 0 when never."""
        losses = zip(self.times, self.troubles, strict=True)
        return max(
            (at for at, trouble in losses if at <= moment and trouble is MetricsTrouble.EMPTY), default=0
        )


SILENT = (MetricsTrouble.DOWN, MetricsTrouble.EMPTY, MetricsTrouble.STOPPED)
"""In these troubles nothing is scraped."""


@dataclass(slots=True)
class _Progress:
    stretches: int = 0
    scraped: int = 0
    forgotten: int = 0


class Prometheus:
    """Scrapes what *ledger* holds into series, family by family and only when a query reads one."""

    def __init__(
        self, ledger: Ledger, lives: Lives, storage: MemoryStorage, families: Sequence[Family]
    ) -> None:
        self._ledger = ledger
        self._lives = lives
        self._storage = storage
        self._families = families
        self._progress = [_Progress(scraped=ledger.origin) for _ in families]
        self.history = History()
        self.now = ledger.origin

    @property
    def names(self) -> frozenset[str]:
        """Every metric that is produced."""
        return frozenset().union(*(family.names for family in self._families))

    def answer(self, expression: str, at: float, now: int) -> Answer | NoAnswer:
        """What Prometheus says at *now*, in milliseconds, to an instant query for Unix time *at*."""
        trouble = self.history.at(now)
        if trouble is MetricsTrouble.DOWN:
            return NoAnswer("Prometheus cannot be reached: connection refused")
        if trouble is MetricsTrouble.SLOW:
            return NoAnswer("Prometheus did not answer within 10 s")
        self.now = now
        self._ledger.settle(now)
        partial = trouble is MetricsTrouble.PARTIAL
        storage = Half(self) if partial else self
        try:
            found = evaluate(expression, storage, at)
            newest = newest_sample(expression, storage, at)
        except PromQLError as error:
            return NoAnswer(f"Prometheus refuses the query: {error.message}")
        if not isinstance(found, Vector | Scalar):
            return NoAnswer("the query gives neither a number nor one value a series")
        return Answer(tuple(_samples(found, at)), (PARTIAL,) if partial else (), newest)

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> Sequence[MemorySeries]:
        """Series that pass every matcher, scraped up to now."""
        name = next(
            (m.value for m in matchers if m.name == "__name__" and m.operator is MatchOperator.EQUAL), None
        )
        for family, progress in zip(self._families, self._progress, strict=True):
            if name is None or name in family.names:
                self._scrape(family, progress)
        return self._storage.select(matchers, start, end)

    def _scrape(self, family: Family, progress: _Progress) -> None:
        stretches = self._ledger.stretches
        lost = self.history.lost(self.now)
        while progress.scraped + self._ledger.interval <= self.now:
            progress.scraped += self._ledger.interval
            at = progress.scraped
            while progress.stretches < len(stretches) and stretches[progress.stretches].end <= at:
                family.add(stretches[progress.stretches])
                progress.stretches += 1
            if at >= lost and self.history.at(at) not in SILENT:
                family.scrape(at, lambda target, at=at: self._lives.alive(target, at))
        if lost > progress.forgotten:
            family.forget(lost)
            progress.forgotten = lost


class Half:
    """A storage of which one part gives no answer: the series of every second target are missing."""

    def __init__(self, whole: Prometheus) -> None:
        self._whole = whole

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> Sequence[MemorySeries]:
        """The series of the targets that are left."""
        found = self._whole.select(matchers, start, end)
        missing = set(sorted({series.labels.value("pod") for series in found})[::2])
        return [series for series in found if series.labels.value("pod") not in missing]


def _samples(found: Vector | Scalar, at: float) -> Iterator[Sample]:
    if isinstance(found, Scalar):
        yield Sample({}, found.value, at)
        return
    for sample in found.samples:
        yield Sample(sample.labels, sample.value, at)
