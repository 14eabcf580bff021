"""Requests of the engine, imperative: what the conductor is to do next."""

from dataclasses import dataclass

from runner.engine.events import Event, Ref
from runner.engine.program import Condition, Effect
from runner.model.checks import Check


@dataclass(frozen=True, slots=True)
class Record:
    """Write these events as one durable step."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing is due before *until*."""

    until: float


@dataclass(frozen=True, slots=True)
class Look:
    """Read the live split of a route that this run has not touched."""

    route: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out whether a condition holds."""

    step: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class Perform:
    """Bring about one effect: intent, conditional write, read-back, record."""

    ref: Ref
    effect: Effect


@dataclass(frozen=True, slots=True)
class Measure:
    """Take one measurement of *check*; windows must not reach back before *since*."""

    check: Check
    stage: str | None
    guard: str | None
    since: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave, with this exit code."""

    code: int
    reason: str


Action = Record | Sleep | Look | Probe | Perform | Measure | Stop
