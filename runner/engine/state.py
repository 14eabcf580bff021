"""Where a run stands: the fold of its events, and of what was noticed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from runner.engine.events import EffectIntended, GateAnswered, GateOpened, Outcome
from runner.engine.observations import Interrupted, Order, Refused
from runner.engine.program import Program, ProgramStage, Step
from runner.model.split import Split, split_of


@dataclass(frozen=True, slots=True)
class RouteState:
    """One route as this run knows it; *moved* orders the routes by their last move, 0 is untouched.

    *host* is the one whose subsets this run has begun to weigh.
    """

    split: Split | None = None
    safe: Split | None = None
    changed_at: float | None = None
    canary_since: float | None = None
    moved: int = 0
    promoted: bool = False
    already: bool = False
    unfinished: str | None = None
    seen: bool = False
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What one check of a verify stage has shown so far; *looks* are a comparison's facts of each look."""

    conclusive: int = 0
    failed: int = 0
    last_at: float | None = None
    inconclusive_since: float | None = None
    reason: str = ""
    looks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class GuardState:
    """What one guard has shown so far; *failures* counts those in a row."""

    failures: int = 0
    last_at: float | None = None
    inconclusive_since: float | None = None
    reason: str = ""
    looks: tuple[Mapping[str, Any], ...] = ()


class Waiting(NamedTuple):
    """The step that is waited for, since when, and what was seen last."""

    step: int
    since: float
    reason: str
    missing: bool


@dataclass(frozen=True, slots=True)
class StageState:
    """The stage, or the rollback, that is being worked on."""

    name: str
    steps: tuple[Step, ...]
    started_at: float
    attempt: int = 1
    done: int = 0
    pending: EffectIntended | None = None
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    gate: GateOpened | None = None
    answer: GateAnswered | None = None
    ready: frozenset[int] = frozenset()
    waiting: Waiting | None = None
    probed_at: float | None = None
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Scaled:
    """A Deployment whose replicas this run changed."""

    deployment: str
    namespace: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class RollbackState:
    """The way back: its cause, whether traffic was read back at the safe split, the stages that follow."""

    cause: Outcome
    reason: str
    work: StageState
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class TroubleState:
    """A cluster that cannot be reached: since when, asked how often, and when to ask again."""

    since: float
    count: int
    next_at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run stands still with this exit code."""

    code: int
    reason: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything that `decide` looks at. *index* is the current stage, or the next where *stage* is None.

    *unsettled* are writes of unknown outcome that earlier attempts at this stage left behind.
    """

    program: Program
    routes: Mapping[str, RouteState]
    guards: tuple[GuardState, ...]
    until: str | None = None
    accept_live: bool = False
    started_at: float | None = None
    at: float = 0.0
    index: int = 0
    attempts: int = 0
    stage: StageState | None = None
    failed: str | None = None
    unsettled: tuple[EffectIntended, ...] = ()
    moves: int = 0
    scaled: tuple[Scaled, ...] = ()
    rollback: RollbackState | None = None
    orders: tuple[Order, ...] = ()
    interrupted: Interrupted | None = None
    refused: Refused | None = None
    trouble: TroubleState | None = None
    ended: Ended | None = None

    @property
    def stages(self) -> tuple[ProgramStage, ...]:
        """The stages that are played now: the playbook's, or those that follow its rollback."""
        return self.program.rollback if self.rollback else self.program.stages

    @property
    def current(self) -> ProgramStage | None:
        """The stage at *index*; None when all have been played."""
        return self.stages[self.index] if self.index < len(self.stages) else None

    @property
    def last_change(self) -> float | None:
        """When any route was last moved."""
        return max((r.changed_at for r in self.routes.values() if r.changed_at is not None), default=None)

    @property
    def unknown(self) -> tuple[EffectIntended, ...]:
        """Writes of this stage that may have happened, oldest first."""
        pending = self.stage.pending if self.stage is not None else None
        return self.unsettled if pending is None else (*self.unsettled, pending)

    @property
    def splits(self) -> dict[str, Split]:
        """The recorded split of every route that is known."""
        return {name: route.split for name, route in self.routes.items() if route.split is not None}

    @property
    def held(self) -> dict[str, tuple[Split, ...]]:
        """Where each route can be if nobody else has moved it: as recorded, or as a write of unknown outcome has it.

        On the way back it does not matter where a route is; nothing is held then.
        """
        if self.rollback is not None:
            return {}
        return {name: (split, *self._wanted(name)) for name, split in self.splits.items()}

    def _wanted(self, name: str) -> Iterator[Split]:
        route = self.program.playbook.route(name)
        for intent in self.unknown:
            if intent.ref.weighs(route) and "split" in intent.want:
                yield split_of(intent.want["split"])

    def with_route(self, name: str, route: RouteState) -> "RunState":
        """This state with one route replaced."""
        return replace(self, routes={**self.routes, name: route})


def begin(program: Program, *, until: str | None = None, accept_live: bool = False) -> RunState:
    """The state before the first event."""
    return RunState(
        program=program,
        routes={route.name: RouteState() for route in program.playbook.routes},
        guards=tuple(GuardState() for _ in program.playbook.guards),
        until=until,
        accept_live=accept_live,
    )
