"""One play of a playbook in one world, watched by those who hold the promises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runner.conductor import Conductor, World
from runner.engine.actions import Stop
from runner.engine.events import (
    Event,
    MeasurementTaken,
    Outcome,
    RunFinished,
    RunPaused,
    RunStarted,
    StageFailed,
    StageStarted,
)
from runner.engine.state import begin
from runner.errors import RunnerError
from runner.model.checks import Verdict
from runner.model.evidence import Answer, NoAnswer
from runner.model.playbook import Playbook
from runner.model.scenario import Scenario
from runner.model.split import Split
from runner.model.stages import KubeObject
from runner.rehearsal.place import Approver, Memory, Open, Place
from runner.rehearsal.promises import Promises
from runner.routers import istio
from runner.stages.kinds import compile_playbook
from runner.stages.shift import API_VERSION, service_ref

RUN = "rehearsal"
Ask = Callable[[str], Answer | NoAnswer]
"""Puts a query to the Prometheus of a world, at the end of its play."""
Rules = Callable[[str], Sequence[KubeObject]]
"""The DestinationRules of a namespace, at the end of a play."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one play. *splits* are those of the world at the end, whoever set them."""

    scenario: Scenario
    events: tuple[Event, ...]
    code: int
    reason: str
    splits: Mapping[str, Split | None]
    broken: tuple[str, ...]
    assumptions: tuple[str, ...]
    produced: frozenset[str]
    ask: Ask
    rules: Rules
    started: float
    ended: float
    failed: int | None

    @property
    def ending(self) -> str:
        """The outcome, or how the run came to stand still without one."""
        last = self.events[-1] if self.events else None
        match last:
            case RunFinished(outcome=outcome):
                return outcome.value
            case RunPaused(code=0):
                return Outcome.SUCCEEDED.value
            case RunPaused():
                return "paused"
            case _:
                return "stopped"

    @property
    def fired_by(self) -> tuple[str, ...]:
        """The checks whose failed verdict or missing evidence ended a stage, each once."""
        return tuple(dict.fromkeys(measured.check for measured in self.firing))

    @property
    def firing(self) -> tuple[MeasurementTaken, ...]:
        """The measurements that ended a stage: the last one before its failure that the failure speaks of."""
        found, newest = [], None
        for event in self.events:
            match event:
                case MeasurementTaken(verdict=verdict) if verdict is not Verdict.PASSED:
                    newest = event
                case StageFailed(reason=reason) | RunPaused(reason=reason) if newest is not None:
                    if newest.reason in reason:
                        found.append(newest)
                case _:
                    pass
        return tuple(found)

    def measured(self, check: str, stage: str | None) -> tuple[MeasurementTaken, ...]:
        """The measurements of one gate; *stage* None is the guard."""
        return tuple(
            event
            for event in self.events
            if isinstance(event, MeasurementTaken) and event.check == check and event.stage == stage
        )

    def stage_start(self, stage: str) -> float | None:
        """When *stage* began first."""
        starts = (
            event.at for event in self.events if isinstance(event, StageStarted) and event.stage == stage
        )
        return next(starts, None)


def play(playbook: Playbook, scenario: Scenario, open_place: Open, *, until: str | None = None) -> Played:
    """Play *playbook* in a fresh world of *scenario* until it stands still."""
    place = open_place(playbook, scenario)
    journal, approver = Memory(), Approver()
    promises = Promises(playbook, place)
    conductor = _conductor(playbook, place, journal, approver, promises, until)
    started = place.clock.now()
    stop = _conducted(conductor, started)
    ended = place.clock.now()
    splits = {route.name: _live(place, playbook, route.name) for route in playbook.routes}
    promises.ended(stop.code)
    return Played(
        scenario=scenario,
        events=tuple(journal.events),
        code=stop.code,
        reason=stop.reason,
        splits=splits,
        broken=tuple(promises.broken),
        assumptions=place.assumptions,
        produced=place.produced,
        ask=lambda expression: place.metrics.query(expression, ended),
        rules=lambda namespace: place.cluster.list(API_VERSION, "DestinationRule", namespace, {}),
        started=started,
        ended=ended,
        failed=place.failures(started, ended)[0] if place.failures is not None else None,
    )


def _conductor(
    playbook: Playbook,
    place: Place,
    journal: Memory,
    approver: Approver,
    promises: Promises,
    until: str | None,
) -> Conductor:
    world = World(
        cluster=promises.watched,
        metrics=place.metrics,
        clock=place.clock,
        journal=journal,
        orders=approver,
        lease=place.lease,
        listeners=(*place.listeners, approver, promises),
    )
    return Conductor(begin(compile_playbook(RUN, playbook), until=until), world)


def _conducted(conductor: Conductor, at: float) -> Stop:
    """What no verdict is, a refusal before the first effect say, is an ending too."""
    try:
        conductor.record(RunStarted(at, {}, {}, {}, {}, ""))
        return conductor.play()
    except RunnerError as error:
        return Stop(int(error.exit_code), error.message)


def _live(place: Place, playbook: Playbook, name: str) -> Split | None:
    route = playbook.route(name)
    found = place.witness(service_ref(route))
    try:
        return None if found is None else istio.read(found, route)
    except RunnerError:
        return None
