"""What the inside asks of the world: small, and every method safe to repeat.

Adapters and the sandbox translate what goes wrong into `runner.errors`: TransientError (ask again),
UnknownOutcomeError (a write may have happened), ConflictError, ApplyConflictError, RunnerError (stop).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.engine.events import Event
from runner.engine.observations import Order
from runner.model.evidence import Answer, NoAnswer
from runner.model.stages import KubeObject


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Names one Kubernetes object; *namespace* is empty for objects of the whole cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Cluster(Protocol):
    """Kubernetes objects as plain JSON. Writes are sent once; what happened is found out by reading."""

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """The object, or None where it does not exist. RunnerError when its kind is unknown (no such CRD)."""

    def list(self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[KubeObject]:
        """Objects of one kind in one namespace that carry all of *labels*."""

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """Server-side apply as manager `runner`. ApplyConflictError names the fields that others own."""

    def create(self, manifest: KubeObject) -> KubeObject:
        """Create as manager `runner`. ConflictError when the object exists."""

    def replace(self, changed: KubeObject) -> KubeObject:
        """Write *changed* back if its resourceVersion is still current (manager `runner`). ConflictError if not."""


class Metrics(Protocol):
    """A Prometheus that answers instant queries; it never raises, what went wrong is the answer."""

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        """Every series of *expression* at Unix time *at*."""


class Clock(Protocol):
    """Time in Unix seconds, whole milliseconds; the sandbox's is virtual."""

    def now(self) -> float:
        """The time."""

    def sleep_until(self, until: float) -> None:
        """Return at *until*, or earlier when something may need attention (at most a second later in real time)."""


class Journal(Protocol):
    """The append-only record of a run; what is appended is durable when `append` returns."""

    def append(self, events: Sequence[Event]) -> None:
        """Write *events* as one durable step, in order."""


class Orders(Protocol):
    """What people ask of a living run from outside: approve, abort, pause."""

    def poll(self) -> Sequence[Order]:
        """Orders that have not been seen before, in the order they came."""


class Lease(Protocol):
    """The right to write to the routes of a run, held by one process at a time."""

    def renew(self) -> None:
        """Keep holding it. LockedError when another has taken over."""

    def release(self) -> None:
        """Give it up at the end of a run."""


class Listener(Protocol):
    """Somebody who reads a run along; never a reason for the run to stop, so neither method raises OSError."""

    def heard(self, event: Event, line: str) -> None:
        """Take one durable event and *line*, the journal line that holds it; once per event, in order."""

    def tick(self, now: float) -> None:
        """Take the time, once per turn of the loop, also when nothing happened."""
