"""What goes wrong, drawn from one integer, and the ports that make it go wrong."""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import ConflictError, RunnerError, TransientError, UnknownOutcomeError
from runner.journal import JournalFile, file as journal_file
from runner.model.evidence import Answer, NoAnswer, Sample
from runner.model.stages import KubeObject
from runner.ports import Cluster, Metrics, ObjectRef

KINDS = ("crash", "transient", "lost", "conflict", "blind", "nan", "human", "jump")


class Killed(BaseException):  # noqa: N818 - not an error that anybody may catch
    """The process is gone."""


@dataclass
class Fate:
    """How often which fault comes, and how many are left to come."""

    rng: random.Random
    rates: Mapping[str, float]
    left: int = 40
    struck: dict[str, int] = field(default_factory=dict)

    def strikes(self, kind: str) -> bool:
        """Whether *kind* happens now."""
        if self.left <= 0 or self.rng.random() >= self.rates.get(kind, 0.0):
            return False
        self.left -= 1
        self.struck[kind] = self.struck.get(kind, 0) + 1
        return True


def fate_of(seed: int) -> Fate:
    """Every history has its own mixture: each kind of fault is there or not, often or seldom."""
    rng = random.Random(seed)
    rates = {kind: rng.choice((0.0, 0.005, 0.03, 0.1)) for kind in KINDS}
    rates["human"] = rng.choice((0.0, 0.0, 0.0, 0.01))
    rates["jump"] *= 0.2
    return Fate(rng, rates, left=rng.choice((1, 3, 10, 40)))


class FaultyCluster:
    """A cluster behind a network and beside people; *hooks* see every write that took place."""

    def __init__(self, inner: Cluster, fate: Fate, edit: Callable[[], None]) -> None:
        self.inner, self.fate, self.edit = inner, fate, edit
        self.wrote: list[Callable[[KubeObject], None]] = []
        self.calls = 0

    def get(self, ref: ObjectRef) -> KubeObject | None:
        self._before()
        return self.inner.get(ref)

    def list(self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[KubeObject]:
        self._before()
        return self.inner.list(api_version, kind, namespace, labels)

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        return self._write(lambda: self.inner.apply(manifest, force=force, dry_run=dry_run))

    def create(self, manifest: KubeObject) -> KubeObject:
        return self._write(lambda: self.inner.create(manifest))

    def replace(self, changed: KubeObject) -> KubeObject:
        if self.fate.strikes("conflict"):
            raise ConflictError("the object has been modified")
        return self._write(lambda: self.inner.replace(changed))

    def _write(self, send: Callable[[], KubeObject]) -> KubeObject:
        self._before()
        written = send()
        for hook in self.wrote:
            hook(written)
        if self.fate.strikes("crash"):
            raise Killed
        if self.fate.strikes("lost"):
            raise UnknownOutcomeError("the connection was reset")
        return written

    def _before(self) -> None:
        self.calls += 1
        if self.fate.strikes("human"):
            self.edit()
        if self.fate.strikes("crash"):
            raise Killed
        if self.fate.strikes("transient"):
            raise TransientError("503 Service Unavailable")


class FaultyMetrics:
    """A Prometheus that is sometimes away, or has nothing to say."""

    def __init__(self, inner: Metrics, fate: Fate) -> None:
        self.inner, self.fate = inner, fate

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        if self.fate.strikes("crash"):
            raise Killed
        if self.fate.strikes("blind"):
            return self.fate.rng.choice((NoAnswer("connection refused"), Answer(())))
        if self.fate.strikes("nan"):
            return Answer((Sample({}, self.fate.rng.choice((float("nan"), float("inf"))), at),))
        return self.inner.query(expression, at)


class FaultyJournal:
    """A real state file whose process may die before, during or after an append; power may go with it."""

    def __init__(self, inner: JournalFile, fate: Fate) -> None:
        self.inner, self.fate = inner, fate
        self.appended: list[Callable[[Sequence[Any]], None]] = []

    @property
    def path(self) -> Path:
        return self.inner.path

    def append(self, events: Sequence[Any]) -> list[str]:
        if self.fate.strikes("crash"):
            raise Killed
        if self.fate.strikes("crash"):
            self._torn(events)
        lines = self.inner.append(events)
        for hook in self.appended:
            hook(events)
        if self.fate.strikes("crash"):
            raise Killed
        return lines

    def _torn(self, events: Sequence[Any]) -> None:
        """Power fails inside the append: any beginning of what was not synchronised may be on the disk."""
        size = self.path.stat().st_size
        synchronise = journal_file.os.fdatasync

        def fails(descriptor: int) -> None:
            kept = self.fate.rng.randint(size, os.fstat(descriptor).st_size)
            os.ftruncate(descriptor, kept)
            raise Killed

        journal_file.os.fdatasync = fails
        try:
            self.inner.append(events)
        finally:
            journal_file.os.fdatasync = synchronise


class NobodyElse:
    """A lease that is always ours, with an epoch that grows with every process."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def renew(self) -> None:
        pass

    def release(self) -> None:
        pass


class Refusing:
    """A cluster that answers one call, some, or all from one on with a given error."""

    def __init__(self, inner: Cluster, verb: str, error: RunnerError, when: Callable[[int], bool]) -> None:
        self._inner, self._verb, self._error, self._when = inner, verb, error, when
        self.met = 0

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._inner, name)
        if name != self._verb:
            return called

        def refusing(*args: Any, **kwargs: Any) -> Any:
            self.met += 1
            if self._when(self.met):
                raise self._error
            return called(*args, **kwargs)

        return refusing
