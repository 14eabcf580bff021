"""Goes through a playbook on paper: the engine says what comes next, the stages write, and nobody waits."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from runner.engine.actions import Action, Look, Measure, Perform, Probe, Record, Sleep, Stop
from runner.engine.decide import decide
from runner.engine.events import EffectDone, EffectIntended, Event, RunStarted, SplitChanged, StageSkipped
from runner.engine.evolve import evolve
from runner.engine.observations import RouteSeen
from runner.engine.program import (
    ApplyObject,
    Await,
    Change,
    Program,
    ProgramStage,
    SetReplicas,
    SetSplit,
    SubsetsReady,
)
from runner.engine.state import RunState, begin
from runner.errors import RunnerError, TransientError
from runner.model.playbook import Playbook
from runner.model.stages import KubeObject
from runner.ports import ObjectRef
from runner.review.fields import Field, differences
from runner.review.paper import PaperCluster
from runner.stages import apply, scale, shift
from runner.stages.kinds import compile_playbook
from runner.stages.meeting import Met, meet
from runner.stages.readiness import READINESS, look
from runner.stages.writing import Move, Setting, Write, ref_of

RUN = "plan"  # no run is called so: ids are hexadecimal
EPOCH = sys.maxsize  # a run takes its leases with an epoch above any that the objects carry


class Did(StrEnum):
    """What becomes of one object."""

    CREATED = "create"
    CHANGED = "change"
    SAME = "none"
    LEFT = "leave"
    REFUSED = "refuse"


@dataclass(frozen=True, slots=True)
class Written:
    """One object that a stage writes, and what that changes; *unchecked* where the server could not judge it.

    *again* is a refusal whose cause another object has told.
    """

    ref: ObjectRef
    did: Did
    fields: tuple[Field, ...] = ()
    after: KubeObject | None = None
    unchecked: bool = False
    note: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What would stop the run, with the exit code that it would end with, and what to try."""

    stage: str
    message: str
    hint: str | None
    code: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What would happen in one stage; *waits* says what it would wait for as things are now."""

    reached: bool = False
    written: tuple[Written, ...] = ()
    moves: tuple[Move, ...] = ()
    skipped: str = ""
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """A playbook gone through: by stage, what would happen; what was found at each route before its first move."""

    seen: dict[str, Seen] = field(default_factory=dict)
    met: dict[str, Met] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def walk(playbook: Playbook, cluster: PaperCluster, *, accept_live: bool = False) -> Walk:
    """What a run of *playbook* would do on *cluster*. TransientError where that cannot be reached."""
    walker = _Walker(playbook, cluster, accept_live=accept_live)
    walker.go()
    return Walk(walker.seen, walker.met, tuple(walker.problems))


def _bare(program: Program) -> Program:
    """The program without what takes time or asks: what is left are its writes, and where they may begin."""
    stages = tuple(
        replace(stage, steps=tuple(step for step in stage.steps if isinstance(step, Change)))
        for stage in program.stages
    )
    return replace(program, playbook=replace(program.playbook, guards=()), stages=stages, rollback=())


class _Walker:
    def __init__(self, playbook: Playbook, cluster: PaperCluster, *, accept_live: bool) -> None:
        program = compile_playbook(RUN, playbook)
        self.cluster = cluster
        self.whole = {stage.name: stage for stage in program.stages}
        self.state: RunState = begin(_bare(program), accept_live=accept_live)
        self.seen: dict[str, Seen] = {}
        self.met: dict[str, Met] = {}
        self.problems: list[Problem] = []
        self.waited: set[str] = set()
        self.workloads = False
        self.causes: set[tuple[str, str | None]] = set()

    def go(self) -> None:
        """Until the engine stops, which it does for a refusal, or at the end."""
        self._record(RunStarted(0.0, {}, {}, {}, {}, ""))
        while True:
            match decide(self.state, 0.0):
                case Stop(code=code, reason=reason):
                    if code:
                        self._stopped(reason, code)
                    return
                case action:
                    self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Record(events=events):
                self._record(*events)
            case Look(route=name):
                met = meet(self.cluster, self.state.program.playbook.route(name), RUN)
                self.met[name] = met
                self.state = evolve(self.state, RouteSeen(name, met.split, met.unfinished))
            case Perform():
                self._perform(action)
            case Sleep() | Probe() | Measure() | Stop():
                raise AssertionError(action)  # a bare program neither waits nor asks
            case _:
                assert_never(action)

    def _record(self, *events: Event) -> None:
        for event in events:
            self.state = evolve(self.state, event)
            if isinstance(event, StageSkipped):
                self._note(event.stage, skipped=event.reason)
            elif (stage := getattr(event, "stage", None)) is not None and stage in self.whole:
                self._note(stage)

    def _note(self, stage: str, **more: object) -> None:
        known = self.seen.get(stage, Seen())
        self.seen[stage] = replace(known, reached=True, **more)  # type: ignore[arg-type]  # field names are literals of this module

    def _stopped(self, reason: str, code: int) -> None:
        stage = self.state.current.name if self.state.current else ""
        message, _, hint = reason.partition("\n")
        self.problems.append(Problem(stage, message, hint or None, code))

    def _perform(self, action: Perform) -> None:
        ref = action.ref
        target = _target(action, self.state.program.playbook)
        before = self.cluster.get(target)
        self._wait(ref.stage)
        try:
            write = _prepared(action, self._setting(action))
            sent = write.send() if write.send is not None else {}
        except TransientError:
            raise
        except RunnerError as error:
            self._refused(action, target, error)
            return
        result = {**write.result, **sent}
        self._wrote(
            ref.stage,
            self._written(target, before, left=bool(result.get("left")), note=str(result.get("forced", ""))),
        )
        self._moved(ref.stage, write)
        self._record(EffectIntended(0.0, ref, write.want, write.found), EffectDone(0.0, ref, result))

    def _moved(self, stage: str, write: Write) -> None:
        known = self.seen[stage]
        self._note(stage, moves=(*known.moves, *write.moves))
        self._record(*(SplitChanged(0.0, move.route, move.before, move.after, stage) for move in write.moves))

    def _refused(self, action: Perform, target: ObjectRef, error: RunnerError) -> None:
        """Later stages are gone through all the same, so that everything is found at once, each cause once."""
        cause = _cause(error)
        told = cause in self.causes
        self._wrote(action.ref.stage, Written(target, Did.REFUSED, note=cause[0], again=told))
        if not told:
            self.causes.add(cause)
            problem = Problem(action.ref.stage, error.message, error.hint, int(error.exit_code))
            self.problems.append(problem)
        self._record(EffectIntended(0.0, action.ref, {}, None), EffectDone(0.0, action.ref, {}))

    def _written(self, target: ObjectRef, before: KubeObject | None, *, left: bool, note: str) -> Written:
        after = self.cluster.get(target)
        unchecked = target in self.cluster.unchecked
        if before is None:
            return Written(target, Did.CREATED, after=after, unchecked=unchecked, note=note)
        if left:
            return Written(target, Did.LEFT)
        fields = differences(before, after) if after is not None else ()
        return Written(target, Did.CHANGED if fields else Did.SAME, fields, after, unchecked, note)

    def _wrote(self, stage: str, written: Written) -> None:
        known = self.seen.get(stage, Seen())
        self._note(stage, written=(*known.written, written))
        self.workloads |= written.ref.kind in READINESS and written.did in (Did.CREATED, Did.CHANGED)

    def _setting(self, action: Perform) -> Setting:
        state = self.state
        return Setting(self.cluster, state.program.playbook, state.routes, RUN, EPOCH, action.ref)

    def _wait(self, stage: str) -> None:
        """What the stage would wait for before it moves traffic; each reason is told once.

        Once a workload is to change, its pods exist nowhere yet, and say nothing of those to come.
        """
        if self.workloads:
            return
        reasons = [reason for reason in self._waiting(self.whole[stage]) if reason not in self.waited]
        self.waited.update(reasons)
        if reasons:
            self._note(stage, waits=tuple(reasons))

    def _waiting(self, stage: ProgramStage) -> Iterator[str]:
        safe = {name: route.safe for name, route in self.state.routes.items()}
        for step in stage.steps:
            if isinstance(step, Await) and isinstance(step.condition, SubsetsReady):
                try:
                    found = look(step.condition, self.state.program.playbook, self.cluster, safe)
                except TransientError:
                    raise
                except RunnerError:
                    return  # the write itself says what is wrong
                if not found.ready:
                    yield found.reason


def _cause(error: RunnerError) -> tuple[str, str | None]:
    """Why something was refused, without what was asked for: `cannot apply X: why`."""
    first, rest = error.message.partition("\n")[::2]
    asked, colon, why = first.partition(": ")
    return (f"{why}{rest}" if colon and asked.startswith("cannot ") else error.message), error.hint


def _prepared(action: Perform, setting: Setting) -> Write:
    match action.effect:
        case ApplyObject() as effect:
            return apply.prepare(effect, setting)
        case SetSplit() as effect:
            return shift.prepare(effect, setting)
        case SetReplicas() as effect:
            return scale.prepare(effect, setting)
        case _:
            assert_never(action.effect)


def _target(action: Perform, playbook: Playbook) -> ObjectRef:
    match action.effect:
        case ApplyObject(manifest=manifest):
            return ref_of(manifest.object)
        case SetSplit(route=name):
            return shift.service_ref(playbook.route(name))
        case SetReplicas(deployment=name, namespace=namespace):
            return ObjectRef("apps/v1", "Deployment", namespace, name)
        case _:
            assert_never(action.effect)
