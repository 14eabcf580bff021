"""Histories whose journal lies in the same API server as everything else, in small parts: what strikes one strikes both."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from runner.engine.events import RunStarted
from runner.journal import configmap, parts
from runner.journal.configmap import ConfigMapJournal
from runner.journal.finding import finished
from runner.journal.parts import ConfigMapName, Parts
from tests.prove.simulation import History, Run, play
from tests.prove.stories import NS

PLACE = ConfigMapName(NS, "run-1")
SMALL = 6_000  # bytes of a part: a history has several


class ClusterJournal:
    """A real journal in ConfigMaps; *appended* hears what is durable."""

    def __init__(self, inner: ConfigMapJournal) -> None:
        self.inner = inner
        self.appended: list[Callable[[Sequence[Any]], None]] = []

    def append(self, events: Sequence[Any]) -> list[str]:
        lines = self.inner.append(events)
        for hook in self.appended:
            hook(events)
        return lines


class ClusterRun(Run):
    """A run that has no disk."""

    def opened(self) -> Any:
        """The journal for one more process, and what it says."""
        self.processes += 1
        if self.sandbox.cluster.get(PLACE.part(0)) is not None:
            inner, record = ConfigMapJournal.resume(self.cluster, PLACE)
            self.oracle.journal, past = list(record.events), record.events
        else:
            first = RunStarted(self.sandbox.clock.now(), {}, {}, {}, {}, "digest")
            inner, _ = ConfigMapJournal.create(self.cluster, self.sandbox.clock, PLACE, "r1", first)
            self.oracle.journal, past = [first], ()
        journal = ClusterJournal(inner)
        journal.appended.append(self.oracle.appended)
        return journal, past

    def over(self) -> bool:
        """Whether the run has had its last word; the record is whole, or this says what is wrong."""
        found = self.sandbox.cluster.get(PLACE.part(0))
        return found is not None and finished(Parts(self.sandbox.cluster, PLACE).read()[0])


@contextmanager
def small_parts() -> Iterator[None]:
    """Parts that are soon full."""
    before = configmap.PART
    configmap.PART = parts.PART = SMALL
    try:
        yield
    finally:
        configmap.PART = parts.PART = before


def history(seed: int) -> History:
    """The history of *seed*, with its state in the cluster."""
    with small_parts():
        return play(seed, made=ClusterRun)
