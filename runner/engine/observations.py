"""What the conductor noticed and did not write down: lost by a crash, and noticed again."""

from dataclasses import dataclass
from enum import StrEnum

from runner.engine.events import Event
from runner.model.split import Split


class OrderKind(StrEnum):
    """What a person can ask of a living run."""

    APPROVE = "approve"
    REFUSE = "refuse"
    ABORT = "abort"
    PAUSE = "pause"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody's word to a living run, with who said it."""

    kind: OrderKind
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A signal arrived; *code* is the exit code that answers it."""

    name: str
    code: int


@dataclass(frozen=True, slots=True)
class RouteSeen:
    """The live split of a route before this run touched it; *unfinished* names another run's open marker."""

    route: str
    split: Split | None
    unfinished: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was waited for: all there, not yet and why, or never (*fatal*); *missing* where nobody has declared it."""

    at: float
    step: int
    ready: bool
    reason: str = ""
    fatal: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """The cluster could not be reached at *at*; nothing was decided by it.

    *retry_after* is how many seconds it asked to be left alone.
    """

    at: float
    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The cluster answered again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something said no that is not a verdict on the release; *code* is the exit code that answers it."""

    reason: str
    code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The stage failed by its own judgement while it acted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """An event counts, and waits to be made durable: the journal is out of reach. Only people need to know."""

    event: Event


Noticed = Order | Interrupted | RouteSeen | Readiness | Trouble | Reached | Refused | Broken
"""What changes where a run stands."""

Observation = Noticed | Unrecorded
