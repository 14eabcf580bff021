"""Folds events and observations into state: `evolve` is the only way that a run's state changes."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from itertools import groupby
from typing import assert_never, cast

from runner.engine import observations as seen
from runner.engine.events import (
    EffectDone,
    EffectEvent,
    EffectIntended,
    Event,
    GateAnswered,
    GateOpened,
    MeasurementTaken,
    Outcome,
    RollbackEvent,
    RollbackFinished,
    RollbackStarted,
    RunEvent,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageEvent,
    StageFailed,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.engine.measuring import guard_after, judged_by, tally_after
from runner.engine.state import (
    Ended,
    GuardState,
    RollbackState,
    RouteState,
    RunState,
    Scaled,
    StageState,
    TroubleState,
    Waiting,
)
from runner.engine.way_back import rollback_steps
from runner.model.split import Split, canary_split

OUTCOME_CODES = {
    Outcome.SUCCEEDED: 0,
    Outcome.ROLLED_BACK: 0,
    Outcome.REJECTED: 3,
    Outcome.ABORTED: 3,
    Outcome.ROLLBACK_FAILED: 4,
}
ACCEPTED = "accepted"  # in place of a stage: a person took over a split that somebody else had set
BACKOFF_CAP = 30.0  # seconds between two questions to a cluster that does not answer
LONGEST_WISH = 60.0  # seconds for which a server that asks to be left alone is left alone

Measurements = Iterable[MeasurementTaken]


def replay(state: RunState, events: Iterable[Event]) -> RunState:
    """The state after *events*: replaying a journal is how a run is resumed.

    What guards saw in a row is taken in at once, as a long journal consists of that.
    """
    for watching, row in groupby(events, _is_watching):
        state = _after(state, row, watching=watching)
    return state


def _after(state: RunState, row: Iterable[Event], *, watching: bool) -> RunState:
    return _watched(state, cast(Measurements, row)) if watching else reduce(evolve, row, state)


def evolve(state: RunState, event: Event | seen.Noticed) -> RunState:
    """The state after one fact or observation; it never fails and never looks at a clock."""
    match event:
        case RunStarted() | RunResumed() | RunPaused() | RunInterrupted() | RunFinished():
            return replace(_run(state, event), at=event.at)
        case StageStarted() | StageSucceeded() | StageFailed() | StageSkipped():
            return replace(_stage(state, event), at=event.at)
        case EffectIntended() | EffectDone() | SplitChanged():
            return replace(_effect(state, event), at=event.at)
        case RollbackStarted() | RollbackFinished():
            return replace(_rollback(state, event), at=event.at)
        case MeasurementTaken():
            return _measured(state, event)
        case GateOpened():
            # A word given before the question was asked answers nothing.
            return replace(_working(state, gate=event), orders=(), at=event.at)
        case GateAnswered():
            return replace(_working(state, answer=event), orders=(), at=event.at)
        case _:
            return _noticed(state, event)


def _run(state: RunState, event: RunEvent) -> RunState:
    match event:
        case RunStarted():
            return replace(state, started_at=event.at)
        case RunResumed():
            return _resumed(state, event)
        case RunPaused() | RunInterrupted():
            return replace(
                state, ended=Ended(event.code, event.reason), interrupted=None, orders=(), refused=None
            )
        case RunFinished():
            ended = Ended(OUTCOME_CODES[event.outcome], event.reason, event.outcome)
            return replace(state, ended=ended, stage=None)
        case _:
            assert_never(event)


def _resumed(state: RunState, event: RunResumed) -> RunState:
    """Guards look first, readings from before the gap do not count, an unwatched soak starts again."""
    unwatched = event.at - state.at > state.program.playbook.longest_unwatched
    # A stage that failed and was not held goes on failing; one that was held is tried again.
    again = state.failed is not None and state.ended is not None
    stage = state.stage
    if stage is not None:
        started = event.at if unwatched else stage.started_at
        stage = replace(_looked_afresh(stage), started_at=started)
    return replace(
        state,
        stage=None if again else stage,
        unsettled=state.unknown if again else state.unsettled,
        rollback=replace(state.rollback, work=_looked_afresh(state.rollback.work))
        if state.rollback
        else None,
        guards=tuple(GuardState() for _ in state.guards),
        failed=None if again else state.failed,
        ended=None,
        trouble=None,
        refused=None,
        interrupted=None,
    )


def _looked_afresh(work: StageState) -> StageState:
    """Keeps what was done and approved; what was only seen is seen again."""
    approved = work.answer is not None and work.answer.answer == "approved"
    return replace(
        work,
        tallies={},
        ready=frozenset(),
        waiting=None,
        probed_at=None,
        broken=None,
        gate=work.gate if approved else None,
        answer=work.answer if approved else None,
    )


def _stage(state: RunState, event: StageEvent) -> RunState:
    match event:
        case StageStarted():
            steps = state.current.steps if state.current else ()
            stage = StageState(event.stage, steps, event.at, event.attempt)
            return replace(state, stage=stage, attempts=event.attempt)
        case StageSucceeded():
            return _finished_stage(_promoted(state))
        case StageSkipped(route=route):
            if route is not None:
                state = state.with_route(route, replace(state.routes[route], already=True))
            return _finished_stage(state)
        case StageFailed():
            return replace(state, failed=event.reason)
        case _:
            assert_never(event)


def _finished_stage(state: RunState) -> RunState:
    return replace(state, stage=None, index=state.index + 1, attempts=0, trouble=None, unsettled=())


def _promoted(state: RunState) -> RunState:
    name = state.current.promotes if state.current else None
    if name is None:
        return state
    return state.with_route(name, replace(state.routes[name], promoted=True))


def _effect(state: RunState, event: EffectEvent) -> RunState:
    match event:
        case EffectIntended():
            return _working(_hosted(state, event), pending=event)
        case EffectDone():
            work = _work(state)
            if work is None:
                return state
            return _working(_scaled(state, event), pending=None, done=work.done + 1)
        case SplitChanged():
            return _moved(state, event)
        case _:
            assert_never(event)


def _hosted(state: RunState, event: EffectIntended) -> RunState:
    """Remembers of which host this run weighs the subsets."""
    host, place = event.want.get("host"), (event.ref.namespace, event.ref.name)
    for route in state.program.playbook.routes:
        if host is not None and (route.namespace, route.virtual_service) == place:
            state = state.with_route(route.name, replace(state.routes[route.name], host=str(host)))
    return state


def _scaled(state: RunState, event: EffectDone) -> RunState:
    before, after = event.result.get("before"), event.result.get("replicas")
    if before is None or after is None or state.rollback is not None:
        return state
    scaled = Scaled(event.ref.name, event.ref.namespace, int(before), int(after))
    return replace(state, scaled=(*state.scaled, scaled))


def _moved(state: RunState, event: SplitChanged) -> RunState:
    if event.route not in state.routes:
        return state
    known, canary = state.routes[event.route], state.program.playbook.route(event.route).canary
    since = None if not event.to[canary] else known.canary_since or event.at
    moved = RouteState(
        split=event.to,
        safe=_safe(state, event),
        changed_at=event.at,
        canary_since=since,
        moved=state.moves + 1,
        promoted=known.promoted,
        seen=True,
        host=known.host,
    )
    # A comparison counts since the last shift.
    guards = tuple(replace(guard, looks=()) for guard in state.guards)
    state = replace(state.with_route(event.route, moved), moves=state.moves + 1, guards=guards)
    return _settled(state, event.route) if event.stage == ACCEPTED else state


def _settled(state: RunState, name: str) -> RunState:
    """What a person accepted is where the next write starts from, whatever an earlier one intended."""
    route, work = state.program.playbook.route(name), _work(state)
    others = tuple(item for item in state.unsettled if not item.ref.weighs(route))
    state = replace(state, unsettled=others)
    if work is None or work.pending is None:
        return state
    return _working(state, pending=None) if work.pending.ref.weighs(route) else state


def _safe(state: RunState, event: SplitChanged) -> Split | None:
    """The newest split in which the canary had nothing."""
    route = state.program.playbook.route(event.route)
    for split in (event.to, event.from_):
        if split is not None and not split[route.canary]:
            return split
    return state.routes[event.route].safe or canary_split(route.stable, route.canary, 0)


def _rollback(state: RunState, event: RollbackEvent) -> RunState:
    match event:
        case RollbackStarted():
            work = StageState("rollback", rollback_steps(state, event.to), event.at)
            back = RollbackState(event.cause, event.reason, work)
            return replace(
                state,
                rollback=back,
                stage=None,
                failed=None,
                orders=(),
                refused=None,
                trouble=None,
                unsettled=(),
            )
        case RollbackFinished():
            if state.rollback is None:
                return state
            back = replace(state.rollback, verified=event.verified)
            # What was given up for is not waited for again.
            trouble = None if event.verified else state.trouble
            return replace(state, rollback=back, index=0, attempts=0, refused=None, trouble=trouble)
        case _:
            assert_never(event)


def _measured(state: RunState, event: MeasurementTaken) -> RunState:
    if event.guard is not None:
        return _watched(state, (event,))
    if state.stage is None:
        return replace(state, at=event.at)
    known, check = state.stage.tallies, judged_by(state.stage, event.check)
    tallies = {**known, event.check: tally_after(known.get(event.check), event, check)}
    return replace(_working(state, tallies=tallies), at=event.at)


def _is_watching(event: Event) -> bool:
    return isinstance(event, MeasurementTaken) and event.guard is not None


def _watched(state: RunState, row: Measurements) -> RunState:
    at, guards = state.at, list(state.guards)
    for event in row:
        at = event.at
        for place, guard in enumerate(state.program.playbook.guards):
            if guard.check.name == event.guard:
                guards[place] = guard_after(guards[place], event, guard.check)
    return replace(state, at=at, guards=tuple(guards))


def _work(state: RunState) -> StageState | None:
    """What is being worked on: the rollback until it has ended, else the stage."""
    if state.rollback is not None and state.rollback.verified is None:
        return state.rollback.work
    return state.stage


def _working(state: RunState, **changes: object) -> RunState:
    work = _work(state)
    if work is None:
        return state
    changed = replace(work, **changes)  # type: ignore[arg-type]  # field names are literals of this module
    if state.rollback is not None and state.rollback.verified is None:
        return replace(state, rollback=replace(state.rollback, work=changed))
    return replace(state, stage=changed)


def _noticed(state: RunState, event: seen.Noticed) -> RunState:
    match event:
        case seen.Order():
            return replace(state, orders=(*state.orders, event))
        case seen.Interrupted():
            return replace(state, interrupted=event)
        case seen.RouteSeen():
            return _route_seen(state, event)
        case seen.Readiness():
            return _readiness(state, event)
        case seen.Trouble():
            return replace(state, trouble=_worse(state.trouble, event))
        case seen.Reached():
            return state if state.trouble is None else replace(state, trouble=None)
        case seen.Refused():
            return replace(state, refused=event)
        case seen.Broken():
            return _working(state, broken=event.reason)
        case _:
            assert_never(event)


def _route_seen(state: RunState, event: seen.RouteSeen) -> RunState:
    known, route = state.routes[event.route], state.program.playbook.route(event.route)
    safe = event.split
    if event.split is not None and event.split[route.canary]:
        safe = canary_split(route.stable, route.canary, 0)
    found = replace(known, split=event.split, safe=safe, unfinished=event.unfinished, seen=True)
    return state.with_route(event.route, found)


def _readiness(state: RunState, event: seen.Readiness) -> RunState:
    work = _work(state)
    if work is None:
        return state
    if event.ready:
        return _working(state, ready=work.ready | {event.step}, waiting=None, probed_at=None)
    since = work.waiting.since if work.waiting and work.waiting.step == event.step else event.at
    waiting = Waiting(event.step, since, event.reason, event.missing)
    broken = event.reason if event.fatal else work.broken
    return _working(state, waiting=waiting, probed_at=event.at, broken=broken)


def _worse(known: TroubleState | None, event: seen.Trouble) -> TroubleState:
    """Doubling pauses from one second on, and what the server asks for: one that comes back is not stormed."""
    count = known.count + 1 if known else 1
    pause = max(min(2.0 ** (count - 1), BACKOFF_CAP), min(event.retry_after or 0.0, LONGEST_WISH))
    return TroubleState(known.since if known else event.at, count, event.at + pause, event.reason)
