"""What goes wrong, drawn from one integer, and the ports that make it go wrong."""

import os
import random
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import ConflictError, RunnerError, TransientError, UnknownOutcomeError
from runner.journal import JournalFile
from runner.journal import file as journal_file
from runner.model.evidence import Answer, NoAnswer, Sample
from runner.model.stages import KubeObject
from runner.ports import Cluster, Metrics, ObjectRef

KINDS = ("crash", "transient", "lost", "conflict", "blind", "odd", "human", "jump", "power")


class Killed(BaseException):
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


def quiet(seed: int = 0) -> Fate:
    """Nothing goes wrong by itself."""
    return Fate(random.Random(seed), {}, left=0)


def fate_of(seed: int) -> Fate:
    """Every history has its own mixture: each kind of fault is there or not, often or seldom."""
    rng = random.Random(seed)
    rates = {kind: rng.choice((0.0, 0.005, 0.03, 0.1)) for kind in KINDS}
    rates["human"] = rng.choice((0.0, 0.0, 0.0, 0.01))
    rates["jump"] = rng.choice((0.0, 0.3, 1.0))
    rates["order"] = rng.choice((0.0, 0.0, 0.005, 0.03))
    return Fate(rng, rates, left=rng.choice((1, 3, 10, 40)))


class FaultyCluster:
    """A cluster behind a network and beside people; *hooks* see every write that took place."""

    def __init__(
        self, inner: Cluster, fate: Fate, edit: Callable[[], None], order: Callable[[], None]
    ) -> None:
        self.inner, self.fate, self.edit, self.order = inner, fate, edit, order
        self.wrote: list[Callable[[KubeObject], None]] = []
        self.looked: list[Callable[[str], None]] = []
        self.calls = 0

    def get(self, ref: ObjectRef) -> KubeObject | None:
        self._before()
        found = self.inner.get(ref)
        for hook in self.looked:
            hook(ref.kind)
        return found

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
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
        if self.fate.strikes("order"):
            self.order()
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
        if self.fate.strikes("odd"):
            return self._odd(at)
        return self.inner.query(expression, at)

    def _odd(self, at: float) -> Answer:
        """Not a number, a part of the data, several series: each looks well at a careless glance."""
        odd = (
            Answer((Sample({}, float("nan"), at),)),
            Answer((Sample({}, 500.0, at),), warnings=("partial response",)),
            Answer((Sample({"pod": "a"}, 1.0, at), Sample({"pod": "b"}, 500.0, at))),
        )
        return self.fate.rng.choice(odd)


class Disk:
    """Knows what of a state file would survive a power failure: its name, and as much as was synchronised."""

    def __init__(self) -> None:
        self.safe = 0
        self.named = False
        self.real, self.real_sync = os.fdatasync, os.fsync

    def synchronised(self, descriptor: int) -> None:
        """Takes the place of `os.fdatasync`, and of `os.fsync` of a file or a folder."""
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            self.named = True
        else:
            self.safe = found.st_size

    def creating(self, create: Callable[[], JournalFile]) -> JournalFile:
        """Watch a state file come into being."""
        journal_file.os.fsync = self.synchronised
        try:
            return create()
        finally:
            journal_file.os.fsync = self.real_sync

    def power_fails(self, path: Path) -> None:
        """What was not synchronised is gone."""
        if not self.named:
            path.unlink()
        elif self.safe < path.stat().st_size:
            os.truncate(path, self.safe)


class FaultyJournal:
    """A real state file whose process may die before, during or after an append; power may go with it."""

    def __init__(self, inner: JournalFile, fate: Fate, disk: Disk) -> None:
        self.inner, self.fate, self.disk = inner, fate, disk
        self.appended: list[Callable[[Sequence[Any]], None]] = []

    @property
    def path(self) -> Path:
        return self.inner.path

    def append(self, events: Sequence[Any]) -> list[str]:
        if self.fate.strikes("crash"):
            raise Killed
        torn = self.fate.strikes("crash")
        before = self.path.stat().st_size
        lines = self._synchronising(events)
        if torn:
            os.truncate(self.path, self.fate.rng.randint(before, self.path.stat().st_size))
            raise Killed
        for hook in self.appended:
            hook(events)
        if self.fate.strikes("crash"):
            self.disk.power_fails(self.path)
            raise Killed
        return lines

    def _synchronising(self, events: Sequence[Any]) -> list[str]:
        journal_file.os.fdatasync = self.disk.synchronised
        try:
            return self.inner.append(events)
        finally:
            journal_file.os.fdatasync = self.disk.real


class NobodyElse:
    """A lease that is always ours, with an epoch that grows with every process."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def renew(self) -> None:
        pass

    def release(self) -> None:
        pass


Site = tuple[str, str]
"""A verb, and the kind of object that it is used on."""


class Counting:
    """A cluster that knows at which sites it was called, and how often."""

    def __init__(self, inner: Cluster) -> None:
        self._inner = inner
        self.calls: dict[Site, int] = {}

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._inner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            site = (name, kind_of(args))
            self.calls[site] = self.calls.get(site, 0) + 1
            self.met(site, self.calls[site])
            return called(*args, **kwargs)

        return counting

    def met(self, site: Site, times: int) -> None:
        """Nothing happens here."""


class Refusing(Counting):
    """Answers one call at a site, some, or all, with a given error."""

    def __init__(
        self, inner: Cluster, site: Site, error: Callable[[], RunnerError], when: Callable[[int], bool]
    ) -> None:
        super().__init__(inner)
        self._site, self._error, self._when = site, error, when
        self.struck = 0

    def met(self, site: Site, times: int) -> None:
        if site == self._site and self._when(times):
            self.struck += 1
            raise self._error()


def kind_of(args: Sequence[Any]) -> str:
    """Which kind of object a call of the Cluster port is about."""
    first = args[0]
    if isinstance(first, ObjectRef):
        return first.kind
    return str(args[1]) if isinstance(first, str) else str(first["kind"])
