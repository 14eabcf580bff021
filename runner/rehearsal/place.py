"""Where rehearsals are played: ports of a world that bootstrap makes, one for every play."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.engine.events import Event, GateOpened
from runner.engine.observations import Interrupted, Observation, Order, OrderKind
from runner.model.playbook import Playbook
from runner.model.scenario import Scenario
from runner.model.stages import KubeObject
from runner.ports import Clock, Cluster, Lease, Listener, Metrics, ObjectRef

REHEARSED_AT = 946_684_800.0
"""2000-01-01T00:00:00Z: every rehearsal starts here, so that its output is the same every time."""


class Witness(Protocol):
    """Sees the objects of the world as they are, whatever goes wrong with the API server."""

    def __call__(self, ref: ObjectRef, /) -> KubeObject | None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """One world in virtual time; *produced* are its metrics, *assumptions* what it took for granted.

    *failures* counts (failed, all) user requests between two times.
    """

    cluster: Cluster
    metrics: Metrics
    clock: Clock
    lease: Lease
    witness: Witness
    listeners: tuple[Listener, ...] = ()
    assumptions: tuple[str, ...] = ()
    produced: frozenset[str] = frozenset()
    failures: Callable[[float, float], tuple[int, int]] | None = None


Open = Callable[[Playbook, Scenario], Place]
"""Makes a fresh world for a playbook and a scenario; the same arguments make the same world."""


class Memory:
    """A journal that keeps events and has no lines."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, events: Sequence[Event]) -> Sequence[str]:
        """Keep *events*."""
        self.events.extend(events)
        return [""] * len(events)


class Approver:
    """The person at the gates of a rehearsal: approves each as soon as it opens."""

    def __init__(self) -> None:
        self._words: list[Order | Interrupted] = []

    def poll(self) -> Sequence[Order | Interrupted]:
        """Approvals that were not given before."""
        words, self._words = self._words, []
        return words

    def heard(self, event: Event, line: str) -> None:
        """A gate opened."""
        del line
        if isinstance(event, GateOpened):
            self._words.append(Order(OrderKind.APPROVE, "rehearsal"))

    def noticed(self, observation: Observation) -> None:
        """Nothing that a gate-keeper looks at."""

    def tick(self, now: float) -> None:
        """Nothing that a gate-keeper looks at."""
