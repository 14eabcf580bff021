"""Where the state of a run is kept: a file here, or ConfigMaps in the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from runner import bootstrap
from runner.bootstrap import Reach
from runner.cli import options
from runner.document.playbook import Loaded
from runner.engine.events import Event, RunStarted
from runner.engine.observations import Order
from runner.errors import DisagreementError, LockedError, UsageError
from runner.journal import JournalFile, OrdersFile, Record, give_order, read
from runner.journal.cluster_orders import ClusterOrders, give_order_to
from runner.journal.configmap import ConfigMapJournal
from runner.journal.file import is_held
from runner.journal.finding import find, finished, typed
from runner.journal.parts import ConfigMapName, Parts, place_of
from runner.ports import Clock, Cluster, Journal, Orders, Permission


class Kept(Journal, Protocol):
    """A journal that knows its place and its run."""

    @property
    def path(self) -> Path:
        """The file, or what names the place in messages."""

    @property
    def run(self) -> str:
        """The run it records."""

    def news(self) -> tuple[tuple[Event, str], ...]:
        """What another process has added since it was opened, with its lines."""

    def close(self) -> None:
        """Let others write."""


class State(Protocol):
    """One run's journal, before anybody has opened it."""

    @property
    def path(self) -> Path:
        """The file, or what names the place in messages."""

    def read(self) -> Record:
        """What is recorded. RunnerError where there is none, DisagreementError where it is damaged."""

    def claim(self) -> None:
        """From here on nobody else can begin it. LockedError where somebody does."""

    def disclaim(self) -> None:
        """Leave it to others, as if it had never been claimed; nothing where it was begun."""

    def create(self, run: str, first: RunStarted, then: Sequence[Event] = ()) -> tuple[Kept, str]:
        """Begin it, with all of *then* or not at all; its first line is returned too."""

    def resume(self) -> tuple[Kept, Record]:
        """Go on with it."""

    def orders(self) -> Orders:
        """What people ask of the process that plays it."""

    def give(self, order: Order) -> None:
        """Ask something of the process that plays it."""

    def is_played(self) -> bool:
        """Whether a process plays it, as far as can be seen from here."""


@dataclass(slots=True)
class FileState:
    """A state file on this machine; once it is claimed, its lock."""

    path: Path
    _lock: FileLock | None = field(default=None, compare=False, repr=False)

    def read(self) -> Record:
        """See `State`."""
        return read(self.path)

    def claim(self) -> None:
        """See `State`."""
        self._lock = self._lock or JournalFile.claim(self.path)

    def disclaim(self) -> None:
        """See `State`."""
        if self._lock is not None:
            JournalFile.disclaim(self.path, self._lock)
            self._lock = None

    def create(self, run: str, first: RunStarted, then: Sequence[Event] = ()) -> tuple[Kept, str]:
        """See `State`."""
        self.claim()
        lock, self._lock = self._lock, None
        assert lock is not None  # noqa: S101 - just claimed
        return JournalFile.create(self.path, run, first, lock, then=then)

    def resume(self) -> tuple[Kept, Record]:
        """See `State`."""
        return JournalFile.resume(self.path)

    def orders(self) -> Orders:
        """See `State`."""
        return OrdersFile(self.path)

    def give(self, order: Order) -> None:
        """See `State`."""
        give_order(self.path, order)

    def is_played(self) -> bool:
        """See `State`."""
        return is_held(self.path)


class ClusterState:
    """ConfigMaps, reachable from wherever the cluster is; *options* of the command line lead to it from here."""

    def __init__(self, place: ConfigMapName, cluster: Cluster, clock: Clock, options: str = "") -> None:
        self.place, self.cluster, self.clock = place, cluster, clock
        self._options = options
        self._parts = Parts(cluster, place)

    @property
    def path(self) -> Path:
        """See `State`."""
        return Path(f"{self.place}{self._options}")

    def read(self) -> Record:
        """See `State`."""
        return self._named(self._parts.read()[0])

    def claim(self) -> None:
        """See `State`; the first write is conditional, so there is nothing to hold."""

    def disclaim(self) -> None:
        """See `State`."""

    def create(self, run: str, first: RunStarted, then: Sequence[Event] = ()) -> tuple[Kept, str]:
        """See `State`."""
        return ConfigMapJournal.create(self.cluster, self.clock, self.place, run, first, then=then)

    def resume(self) -> tuple[Kept, Record]:
        """See `State`."""
        journal, record = ConfigMapJournal.resume(self.cluster, self.place)
        return journal, self._named(record)

    def _named(self, record: Record) -> Record:
        return replace(record, path=self.path)

    def orders(self) -> Orders:
        """See `State`."""
        return ClusterOrders(self.cluster, self.clock, self.place)

    def give(self, order: Order) -> None:
        """See `State`."""
        give_order_to(self.cluster, self.place, order)

    def is_played(self) -> bool:
        """Somebody who died without a word holds its lease too, and renews it no more."""
        record = self.read()
        return bootstrap.is_renewed(self.cluster, self.clock.now(), routes_of(record), record.run)


def routes_of(record: Record) -> list[tuple[str, str]]:
    """Namespace and name of every VirtualService that a recorded run may move."""
    from runner.cli.recording import recorded_playbook

    return [(route.namespace, route.virtual_service) for route in recorded_playbook(record).routes]


def reach_of(given: Mapping[str, Any]) -> Reach:
    """What the command line says of the cluster; commands that take nothing of it say nothing."""
    return Reach(given.get("kubeconfig"), given.get("context"), given.get("prometheus"), given.get("file"))


def state_at(text: str, reach: Reach) -> State:
    """The state at a path, or at configmap:NAMESPACE/NAME of the cluster that *reach* means."""
    place = place_of(text)
    if place is None:
        return FileState(Path(text))
    cluster, _ = bootstrap.for_reading(reach, place.namespace)
    return ClusterState(place, cluster, bootstrap.real_clock(), options.reaching())


def state_of(run: str | None, reach: Reach, *, unfinished: bool = False) -> State:
    """The state that a person means by a run id, a path or configmap:NAMESPACE/NAME; see `finding.find`."""
    if run is not None and place_of(run) is not None:
        return state_at(run, reach)
    return FileState(find(run, unfinished=unfinished))


def refuse_existing(state: State, file: str | None = None) -> None:
    """A state is never begun twice.

    DisagreementError where it holds a run of another playbook than that in *file*, UsageError where that run is
    finished, LockedError otherwise.
    """
    record = existing(state)
    if record is None:
        return
    if file is not None:
        _refuse_anothers(state, record, file)
    if finished(record):
        raise UsageError(f"{state.path} holds a finished run", hint="choose another, or leave --state out")
    raise LockedError(
        f"{state.path} holds run {record.run}, which is not finished",
        hint=f"go on with it: runner resume {typed(record)}",
    )


def refuse_exposed_secrets(state: State, loaded: Loaded) -> None:
    """A state file is one user's; a ConfigMap is read by many who may read no Secret."""
    if not isinstance(state, ClusterState):
        return
    objects = [each["object"] for stage in loaded.manifests.values() for each in stage]
    if any(found["kind"] == "Secret" for found in objects):
        raise UsageError(
            f"{state.path} would hold the Secrets of the playbook, for all who may read ConfigMaps there",
            hint="keep the state in a file, which is yours alone: --state FILE",
        )


def _refuse_anothers(state: State, record: Record, file: str) -> None:
    from runner.document.load import read as read_document

    theirs, mine = (_name_in(tree) for tree in (record.started.playbook, read_document(file).tree))
    if mine != theirs and str(Path(file).resolve()) != record.started.source:
        raise DisagreementError(
            f"{state.path} holds a run of playbook {theirs!r}, and {file} is {mine!r}",
            hint="choose another state, or leave --state out",
        )


def _name_in(tree: Any) -> Any:
    """What a playbook calls itself, even one with mistakes in it."""
    metadata = tree.get("metadata") if isinstance(tree, Mapping) else None
    return metadata.get("name") if isinstance(metadata, Mapping) else None


def existing(state: State) -> Record | None:
    """What is recorded at *state*; None where nothing is."""
    match state:
        case FileState(path=path):
            return read(path) if path.exists() else None
        case ClusterState(place=place, cluster=cluster):
            return state.read() if cluster.get(place.part(0)) is not None else None
        case _:
            raise AssertionError


def needed_by(state: State) -> tuple[Permission, ...]:
    """What one must be allowed to do to keep a state there."""
    if not isinstance(state, ClusterState):
        return ()
    return needed_at(state.place)


def needed_at(place: ConfigMapName) -> tuple[Permission, ...]:
    """What keeping a state in ConfigMaps takes; how many there will be nobody knows, so no names are given."""
    return tuple(Permission(verb, "", "configmaps", place.namespace) for verb in ("get", "create", "update"))


def since(state: State, known: int) -> tuple[Event, ...]:
    """Events after the first *known*; none while it is being written this very moment."""
    try:
        return state.read().events[known:]
    except DisagreementError:
        return ()
