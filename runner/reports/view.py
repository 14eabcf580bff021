"""A run as a person sees it; every report shares this view, which `fold` makes from events."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runner.engine.events import EffectIntended, GateOpened, MeasurementTaken, Outcome
from runner.model.checks import Check
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.model.stages import Stage, Verify, Wait
from runner.reports.escape import escape
from runner.reports.measures import Measure

GUARD = ""  # the place of what guards measure; stages have names
Place = tuple[str, str]
"""Where a check is measured: (stage name or GUARD, check name)."""


class StageStatus(StrEnum):
    """Where a stage stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Standing(StrEnum):
    """Where a run stands, before it has an outcome."""

    RUNNING = "running"
    WAITING = "waiting for approval"
    ROLLING_BACK = "rolling back"
    STOPPED = "stopped"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage; *started* is that of its newest attempt, *note* why it failed or was skipped."""

    name: str
    kind: str = ""
    status: StageStatus = StageStatus.PENDING
    attempt: int = 0
    started: float | None = None
    ended: float | None = None
    note: str = ""
    applied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """One change of one route's split."""

    at: float
    route: str
    before: Split | None
    after: Split
    stage: str


@dataclass(frozen=True, slots=True)
class RollbackView:
    """The way back; *verified* is None while it is under way."""

    started: float
    reason: str
    cause: Outcome
    to: Mapping[str, Split]
    ended: float | None = None
    verified: bool | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run stands still without an outcome; *code* is the exit code that it left with."""

    at: float
    standing: Standing
    reason: str
    code: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Requests that users saw fail while the canary had traffic."""

    failed: int
    of: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """The canary's share of one route that has not been promoted."""

    route: Route
    share: int


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that reports say about a run. Times are Unix seconds.

    *asked* are the words that followed the playbook on the command line, as far as they say what is played;
    *places* says where in *stages* a name lies, *models* what the playbook says of it, *newest* which stage
    was started last. *open* are writes that may or may not have happened, by what they write; *read* is when each
    VirtualService, by namespace/name, was read back.
    """

    run: str
    playbook: Playbook | None = None
    handle: str = ""
    name: str = ""
    version: str = ""
    target: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    source: str = ""
    asked: tuple[str, ...] = ()
    sandbox: bool = False
    stages: tuple[StageView, ...] = ()
    started: float | None = None
    at: float = 0.0
    ended: float | None = None
    sessions: int = 0
    splits: Mapping[str, Split] = field(default_factory=dict)
    safe: Mapping[str, Split] = field(default_factory=dict)
    served: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    promoted: frozenset[str] = frozenset()
    already: frozenset[str] = frozenset()
    written: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    open: Mapping[str, EffectIntended] = field(default_factory=dict)
    read: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[Place, Measure] = field(default_factory=dict)
    gate: GateOpened | None = None
    rollback: RollbackView | None = None
    stopped: Stopped | None = None
    outcome: Outcome | None = None
    reason: str = ""
    failures: Failures | None = None
    places: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, Stage] = field(default_factory=dict)
    newest: str = ""

    @property
    def typed(self) -> str:
        """What a person types to mean this run: its id, or the *handle* of a state that lies elsewhere."""
        return escape(self.handle or shlex.quote(self.run))

    @property
    def standing(self) -> Standing | Outcome:
        """One word for where the run stands."""
        if self.outcome is not None:
            return self.outcome
        if self.stopped is not None:
            return self.stopped.standing
        if self.rollback is not None and self.rollback.verified is None:
            return Standing.ROLLING_BACK
        return Standing.RUNNING if self.gate is None else Standing.WAITING

    @property
    def current(self) -> StageView | None:
        """The stage that runs, or the one that the run stopped in."""
        stage = self.stage(self.newest)
        return stage if stage is not None and stage.status is StageStatus.RUNNING else None

    @property
    def exposed(self) -> tuple[Exposure, ...]:
        """The routes whose canary has traffic that nobody has promoted."""
        routes = self.playbook.routes if self.playbook else ()
        open_ = [route for route in routes if self._open(route.name)]
        shares = [Exposure(route, self.splits[route.name][route.canary]) for route in open_]
        return tuple(exposure for exposure in shares if exposure.share)

    @property
    def unsure(self) -> tuple[Exposure, ...]:
        """The routes whose canary may have traffic: a write that gives it some was begun, its end is not recorded."""
        known = {exposure.route.name for exposure in self.exposed}
        routes = [
            route for route in (self.playbook.routes if self.playbook else ()) if route.name not in known
        ]
        shares = [Exposure(route, self._begun(route)) for route in routes]
        return tuple(exposure for exposure in shares if exposure.share and self.outcome is None)

    def _begun(self, route: Route) -> int:
        """The canary's share that open writes to the object of *route* would leave it with."""
        wanted = [open_.want.get("split") or {} for open_ in self.open.values() if open_.ref.weighs(route)]
        return max((int(split.get(route.canary, 0)) for split in wanted), default=0)

    @property
    def planned(self) -> tuple[StageView, ...]:
        """The stages of the playbook, without those that only a rollback brought."""
        return self.stages[: len(self.playbook.stages)] if self.playbook else self.stages

    @property
    def count(self) -> int:
        """How many stages are planned."""
        return len(self.playbook.stages) if self.playbook else len(self.stages)

    def stage(self, name: str) -> StageView | None:
        """The stage called *name*; None where nobody has heard of it."""
        place = self.places.get(name)
        return None if place is None else self.stages[place]

    def number(self, name: str) -> int | None:
        """Which of the planned stages it is, counted from 1."""
        place = self.places.get(name)
        return place + 1 if place is not None and place < self.count else None

    def stage_model(self, name: str) -> Stage | None:
        """What the playbook says of a stage; None where it knows none of that name."""
        return self.models.get(name)

    def kind_of(self, name: str) -> str:
        """The stage's kind, `shift` for instance; empty where it is not known."""
        stage = self.stage_model(name)
        return "" if stage is None else type(stage.kind).__name__.lower()

    def due(self, name: str) -> float | None:
        """When a stage ends that ends by the clock: a wait, or an open gate."""
        model = self.stage_model(name)
        stage = self.stage(name)
        if self.gate is not None and self.gate.stage == name:
            return self.gate.until
        if model is None or stage is None or stage.started is None or not isinstance(model.kind, Wait):
            return None
        return stage.started + model.kind.duration

    def _open(self, route: str) -> bool:
        return route in self.splits and route not in self.promoted and route not in self.already


def check_of(view: RunView, event: MeasurementTaken) -> Check | None:
    """The check that *event* measured, with the bound that held there."""
    if view.playbook is None:
        return None
    stage = view.stage_model(event.stage) if event.stage is not None else None
    checks = stage.kind.checks if stage is not None and isinstance(stage.kind, Verify) else ()
    guards = tuple(guard.check for guard in view.playbook.guards) if event.stage is None else ()
    return next((check for check in (*guards, *checks) if check.name == event.check), None)
