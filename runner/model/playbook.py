"""A whole playbook, every variable filled in."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from runner.model.checks import Check
from runner.model.stages import OnInconclusive, Stage

API_PATIENCE = 15 * 60.0  # seconds that an unreachable cluster is waited for
DAY = 24 * 3600.0


class OnFailure(StrEnum):
    """What a failed stage leads to."""

    ROLLBACK = "rollback"
    HOLD = "hold"


class OnInterrupt(StrEnum):
    """What Ctrl-C, SIGTERM and SIGHUP lead to."""

    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the playbook plays: a guard on the context, a namespace, a metrics source by name or URL."""

    namespace: str
    context: str | None = None
    prometheus: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One http route of a VirtualService, and the two subsets that a release moves traffic between."""

    name: str
    virtual_service: str
    namespace: str
    canary: str
    stable: str
    http: str | int | None = None
    host: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    gitops: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A check that is watched through every stage while its route's canary has traffic."""

    check: Check
    route: str
    every: float = 15.0
    failure_limit: int = 2
    patience: float = 300.0
    on_inconclusive: OnInconclusive = OnInconclusive.ROLLBACK


@dataclass(frozen=True, slots=True)
class Playbook:
    """An ordered release: what is touched, what is asked, what is done, and what happens when it goes wrong."""

    name: str
    version: str
    target: Target
    routes: tuple[Route, ...]
    guards: tuple[Guard, ...]
    stages: tuple[Stage, ...]
    rollback: tuple[Stage, ...] = ()
    checks: tuple[Check, ...] = ()
    on_failure: OnFailure = OnFailure.ROLLBACK
    on_interrupt: OnInterrupt = OnInterrupt.HOLD
    deadline: float = DAY
    description: str = ""

    @property
    def longest_unwatched(self) -> float:
        """Seconds that nobody need have watched; after more, a soak starts again. Without guards nobody need ever."""
        return 2 * min((guard.every for guard in self.guards), default=inf)

    def route(self, name: str) -> Route:
        """The route called *name*; KeyError when the playbook has none."""
        found = next((route for route in self.routes if route.name == name), None)
        if found is None:
            raise KeyError(name)
        return found
