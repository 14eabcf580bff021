"""Walks the steps of a stage, or of a rollback, to the first that is not over."""

from dataclasses import dataclass
from typing import assert_never

from runner.engine.actions import Action, Look, Perform, Probe, Record, Sleep
from runner.engine.events import GateAnswered, GateOpened, Ref, StageSkipped
from runner.engine.lengths import length
from runner.engine.measuring import judging, out_of_patience
from runner.engine.observations import OrderKind, Refused
from runner.engine.program import Await, Change, Elapse, Gate, Judge, Step
from runner.engine.state import RouteState, RunState, StageState
from runner.model.playbook import Route
from runner.model.split import Split
from runner.model.stages import OnInconclusive, OnTimeout

ERROR = 1  # the exit code of what is no verdict on the release
PROBE_EVERY = 2.0  # seconds between two looks at whether something has become ready


@dataclass(frozen=True, slots=True)
class Fails:
    """The stage failed by its own judgement."""

    reason: str


@dataclass(frozen=True, slots=True)
class Holds:
    """The run waits for a person."""

    reason: str


Progress = Action | Fails | Holds | Refused | None
"""What the steps come to: an action, an end of the stage's own, or None when all are over."""


def work(state: RunState, stage: StageState, now: float) -> Progress:
    """The next thing to do for *stage*."""
    if stage.broken is not None:
        return Fails(stage.broken)
    if (met := _meet(state, now)) is not None:
        return met
    changes = 0
    for n, step in enumerate(stage.steps):
        progress = _step(state, stage, n, step, changes, now)
        if progress is not None:
            return progress
        changes += isinstance(step, Change)
    return None


def _step(state: RunState, stage: StageState, n: int, step: Step, changes: int, now: float) -> Progress:
    match step:
        case Change():
            return None if changes < stage.done else Perform(_ref(stage, step, changes), step.effect)
        case Await():
            # What was ready when a later effect was written need not be asked again.
            return None if changes < stage.done else _awaited(stage, n, step, now)
        case Elapse(duration=duration):
            over = stage.started_at + duration
            return None if now >= over else Sleep(over)
        case Judge():
            return _judged(state, stage, step, now)
        case Gate():
            return _gate(state, stage, step, now)
        case _:
            assert_never(step)


def _ref(stage: StageState, step: Change, changes: int) -> Ref:
    return Ref(stage.name, stage.attempt, step.kind, step.namespace, step.name, changes + 1)


def _awaited(stage: StageState, n: int, step: Await, now: float) -> Progress:
    if n in stage.ready:
        return None
    if stage.waiting is not None and stage.waiting.step == n:
        _, since, reason, missing = stage.waiting
        if now - since >= step.timeout:
            over = f"not ready within {length(step.timeout)}: {reason}"
            return Refused(over, ERROR) if missing else Fails(over)
        again = min((stage.probed_at or now) + PROBE_EVERY, since + step.timeout)
        if now < again:
            return Sleep(again)
    return Probe(n, step.condition)


def _judged(state: RunState, stage: StageState, step: Judge, now: float) -> Progress:
    progress = judging(state, stage, step, now)
    if isinstance(progress, str):
        return Fails(progress)
    if progress is None:
        return None
    if (reason := out_of_patience(stage, step, now)) is not None:
        return Holds(reason) if step.on_inconclusive is OnInconclusive.PAUSE else Fails(reason)
    return progress


def _gate(state: RunState, stage: StageState, step: Gate, now: float) -> Progress:
    if stage.gate is None:
        return Record((GateOpened(now, stage.name, step.message, now + step.timeout),))
    if stage.answer is not None:
        return _answered(stage.answer, step)
    for order in state.orders:
        if order.kind in (OrderKind.APPROVE, OrderKind.REFUSE):
            word = "approved" if order.kind is OrderKind.APPROVE else "refused"
            return Record((GateAnswered(now, stage.name, word, order.by, order.reason),))
    if now >= stage.gate.until:
        return Record((GateAnswered(now, stage.name, "timed out", "nobody", "no answer in time"),))
    return Sleep(stage.gate.until)


def _answered(answer: GateAnswered, step: Gate) -> Progress:
    if answer.answer == "approved":
        return None
    reason = f"the gate was {answer.answer} by {answer.by}"
    if answer.answer == "timed out":
        reason = f"nobody answered the gate within {length(step.timeout)}"
        if step.on_timeout is OnTimeout.HOLD:
            return Holds(reason)
    return Fails(reason)


def _meet(state: RunState, now: float) -> Progress:
    """Before a stage first moves a route, the live split says whether this run may start there."""
    stage = state.current
    if (
        stage is None
        or stage.moves is None
        or (state.rollback is not None and state.rollback.verified is None)
    ):
        return None
    route = state.routes[stage.moves]
    if route.already:
        return Record((StageSkipped(now, stage.name, _all_there(state, stage.moves), stage.moves),))
    if route.moved or state.unknown:
        return None
    if not route.seen:
        return Look(stage.moves)
    return _may_start(state, stage.moves, route, now)


def _all_there(state: RunState, name: str) -> str:
    return f"{state.program.playbook.route(name).canary} had all the traffic of {name} before this run"


def _may_start(state: RunState, name: str, route: RouteState, now: float) -> Progress:
    if state.accept_live:
        return None
    declared = state.program.playbook.route(name)
    if (reason := half_way(declared, route.split, route.unfinished)) is not None:
        return Refused(reason, 7)
    if route.split is not None and route.split[declared.canary] == 100:
        stage = state.current.name if state.current else ""
        return Record((StageSkipped(now, stage, _all_there(state, name), name),))
    return None


def half_way(route: Route, split: Split | None, unfinished: str | None) -> str | None:
    """Why no run may start at a *split* that it finds, with the ways on; None where one may.

    *unfinished* is the run that left the split there.
    """
    share = split[route.canary] if split is not None else 0
    if unfinished is None and share in (0, 100):
        return None
    left = "another release is under way, or was left behind"
    run = unfinished or "RUN"
    return (
        f"{route.name} is at {split} already: {f'run {run} is not finished' if unfinished else left}\n"
        f"go on with `runner resume {run}`, go back with `runner rollback {run}`, or accept the live split "
        f"with `runner play --from-here` (then the safe split is 100 % {route.stable}); where the state of that run is"
        " lost, `runner adopt FILE` rebuilds it"
    )
