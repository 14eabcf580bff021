"""What the inside asks of the world: small, and every method safe to repeat.

Adapters and the sandbox translate what goes wrong into `runner.errors`: TransientError (ask again),
UnknownOutcomeError (a write may have happened), ConflictError, ApplyConflictError, RunnerError (stop).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.engine.events import Event
from runner.engine.observations import Interrupted, Observation, Order
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


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a user may be allowed to do; *resource* is a plural, with ``/part`` for a part of it.

    The core group, the whole cluster and every name are empty text.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        name = f" {self.name}" if self.name else ""
        return f"{self.verb} {resource}{name}" + (f" in namespace {self.namespace}" if self.namespace else "")


class Cluster(Protocol):
    """Kubernetes objects as plain JSON. Writes are sent once; what happened is found out by reading."""

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """The object, or None where it does not exist. RunnerError when its kind is unknown (no such CRD)."""

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        """Objects of one kind in one namespace that carry all of *labels*."""

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """Server-side apply as manager `runner`. ApplyConflictError names the fields that others own."""

    def create(self, manifest: KubeObject) -> KubeObject:
        """Create as manager `runner`. ConflictError when the object exists."""

    def replace(self, changed: KubeObject) -> KubeObject:
        """Write *changed* back if its resourceVersion is still current (manager `runner`). ConflictError if not."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A credential, in words, that ends at *at*, in Unix seconds; *renewed* says who gives a new one by itself."""

    what: str
    at: float
    renewed: str | None = None


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

    def append(self, events: Sequence[Event]) -> Sequence[str]:
        """Write *events* as one durable step, in order; the lines as they stand in the journal.

        TransientError where the journal is out of reach: the same events are given again, perhaps with more behind.
        """


class Orders(Protocol):
    """What reaches a living run from outside: people's orders, and signals."""

    def poll(self) -> Sequence[Order | Interrupted]:
        """What has not been seen before, in the order it came."""


class Listener(Protocol):
    """Somebody who watches a run. Output is best effort: a listener never raises."""

    def heard(self, event: Event, line: str) -> None:
        """An event became durable; *line* is how the journal says it, empty where the run ended without that."""

    def noticed(self, observation: Observation) -> None:
        """Something was seen that no event tells: not ready yet and why, the cluster out of reach."""

    def tick(self, now: float) -> None:
        """Time goes on; called at every turn of the loop."""


class Lease(Protocol):
    """The right to write to the routes of a run, held by one process at a time."""

    @property
    def epoch(self) -> int:
        """Grows with every change of holder; written on the object with each split."""

    def renew(self) -> None:
        """Keep holding it. LockedError when another has taken over."""

    def release(self) -> None:
        """Give it up at the end of a run."""
