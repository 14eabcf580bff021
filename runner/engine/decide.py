"""What happens next: state x now -> action.

The order of the questions is the order of what matters: a run that stands still stays still; a person's
word beats a guard; a rollback that has begun goes on before anything else; a guard beats the stage.
"""

from runner.engine.actions import Action, Record, Sleep, Stop
from runner.engine.endings import (
    finish,
    give_up_rollback,
    hold,
    left_promoted,
    roll_back,
    rollback_done,
    stand_still,
)
from runner.engine.events import Outcome, StageFailed, StageStarted, StageSucceeded
from runner.engine.lengths import length
from runner.engine.measuring import blind, breached, guarding, next_guard
from runner.engine.observations import Order, OrderKind, Refused
from runner.engine.state import RunState, StageState
from runner.engine.working import Fails, Holds, work
from runner.model.playbook import API_PATIENCE, OnFailure, OnInterrupt
from runner.model.stages import OnInconclusive

LOCKED = 6  # the exit code where another process holds what this one wants


def decide(state: RunState, now: float) -> Action:
    """The next action; total: every state has one."""
    if state.ended is not None:
        return Stop(state.ended.code, state.ended.reason)
    for ask in (_interrupt, _order, _going_back, _failure, _refusal, _unreachable, _deadline, _guards):
        action = ask(state, now)
        if action is not None:
            return action
    return _paced(_stage(state, now), state, now)


def _on_the_way_back(state: RunState) -> bool:
    return state.rollback is not None and state.rollback.verified is None


def _interrupt(state: RunState, now: float) -> Action | None:
    if state.interrupted is None:
        return None
    reason = f"interrupted by {state.interrupted.name}"
    if state.program.playbook.on_interrupt is OnInterrupt.HOLD:
        return stand_still(now, reason, state.interrupted.code)
    return roll_back(state, now, reason, Outcome.ABORTED) if state.rollback is None else None


def _order(state: RunState, now: float) -> Action | None:
    """Abort and rollback are legal in every state; pause stops where the run stands."""
    if _on_the_way_back(state):
        return None
    for order in state.orders:
        match order.kind:
            case OrderKind.ABORT:
                return roll_back(state, now, _said(order, "aborted"), Outcome.ABORTED, promoted=True)
            case OrderKind.ROLLBACK:
                return roll_back(state, now, _said(order, "rolled back"), Outcome.ROLLED_BACK, promoted=True)
            case OrderKind.PAUSE:
                return hold(now, _said(order, "paused"), by=order.by)
            case _:
                continue
    return None


def _said(order: Order, what: str) -> str:
    return f"{what} by {order.by}" + (f": {order.reason}" if order.reason else "")


def _going_back(state: RunState, now: float) -> Action | None:
    """A rollback that has begun ends verified, or says that it is not."""
    back = state.rollback
    if back is None or back.verified is not None:
        return None
    if state.refused is not None:
        return _refused_back(state, state.refused, now)
    if state.trouble is not None:
        if now - state.trouble.since > API_PATIENCE:
            return give_up_rollback(state, now, f"the cluster cannot be reached: {state.trouble.reason}")
        if now < state.trouble.next_at:
            return Sleep(state.trouble.next_at)
    match work(state, back.work, now):
        case None:
            return rollback_done(now)
        case Fails(reason) | Holds(reason) | Refused(reason):
            return give_up_rollback(state, now, reason)
        case action:
            return action


def _refused_back(state: RunState, refused: Refused, now: float) -> Action:
    """Whoever has taken the run over answers for its way back; any other no is this run's last word."""
    if refused.code == LOCKED:
        return stand_still(now, refused.reason, LOCKED)
    return give_up_rollback(state, now, refused.reason)


def _failure(state: RunState, now: float) -> Action | None:
    """What a failed stage leads to; one that follows the rollback changes the outcome no more."""
    if state.failed is None:
        return None
    if state.rollback is not None:
        return finish(state, now)
    if state.program.playbook.on_failure is OnFailure.HOLD:
        return hold(now, state.failed)
    return roll_back(state, now, state.failed, Outcome.REJECTED)


def _refusal(state: RunState, now: float) -> Action | None:
    return None if state.refused is None else stand_still(now, state.refused.reason, state.refused.code)


def _unreachable(state: RunState, now: float) -> Action | None:
    if state.trouble is None or now - state.trouble.since <= API_PATIENCE:
        return None
    return stand_still(now, f"the cluster cannot be reached: {state.trouble.reason}", 1)


def _deadline(state: RunState, now: float) -> Action | None:
    deadline = state.program.playbook.deadline
    if state.started_at is None or state.stage is None or state.rollback is not None:
        return None
    if now - state.started_at <= deadline:
        return None
    return Record(
        (StageFailed(now, state.stage.name, f"the run's deadline of {length(deadline)} has passed"),)
    )


def _guards(state: RunState, now: float) -> Action | None:
    if state.rollback is not None:
        return None
    if (breach := breached(state)) is not None:
        guard, reason = breach
        return (
            _bad_after_promotion(state, now, reason)
            if _promoted(state, guard.route)
            else _fail(state, now, reason)
        )
    if (silent := blind(state, now)) is not None:
        guard, reason = silent
        if _promoted(state, guard.route):
            return hold(now, left_promoted(state, reason))
        if guard.on_inconclusive is OnInconclusive.PAUSE:
            return hold(now, reason)
        return _fail(state, now, reason)
    return guarding(state, now)


def _promoted(state: RunState, route: str) -> bool:
    return state.routes[route].promoted


def _bad_after_promotion(state: RunState, now: float, reason: str) -> Action:
    """A promoted route has no automatic way back: the others go back, a person decides about this one."""
    if any(
        route.moved and not route.promoted and route.split != route.safe for route in state.routes.values()
    ):
        return roll_back(state, now, reason, Outcome.REJECTED)
    return hold(now, left_promoted(state, reason))


def _fail(state: RunState, now: float, reason: str) -> Action:
    stage = state.stage or state.current
    return Record((StageFailed(now, stage.name if stage else "the end", reason),))


def _stage(state: RunState, now: float) -> Action:
    stage = state.stage
    if stage is None:
        return _next(state, now)
    if state.trouble is not None and now < state.trouble.next_at:
        return Sleep(state.trouble.next_at)
    match work(state, stage, now):
        case None:
            return _succeeded(state, stage, now)
        case Fails(reason):
            return Record((StageFailed(now, stage.name, reason),))
        case Holds(reason):
            return hold(now, reason)
        case Refused(reason, code):
            return stand_still(now, reason, code)
        case action:
            return action


def _next(state: RunState, now: float) -> Action:
    if state.rollback is None and state.index and state.stages[state.index - 1].name == state.until:
        return hold(now, f"stopped after {state.until!r}, as asked", code=0)
    if state.current is None:
        return finish(state, now)
    return Record((StageStarted(now, state.current.name, state.attempts + 1),))


def _succeeded(state: RunState, stage: StageState, now: float) -> Action:
    """The end of one stage and the start of the next are one durable step."""
    done, following = StageSucceeded(now, stage.name), state.index + 1
    if state.until == stage.name or following >= len(state.stages):
        return Record((done,))
    return Record((done, StageStarted(now, state.stages[following].name, 1)))


def _paced(action: Action, state: RunState, now: float) -> Action:
    """Sleep no longer than until a guard or the deadline is due."""
    if not isinstance(action, Sleep):
        return action
    dues = [action.until]
    if state.rollback is None and (guard := next_guard(state)) is not None:
        dues.append(guard)
    if state.started_at is not None and state.rollback is None:
        dues.append(state.started_at + state.program.playbook.deadline + 0.001)
    return Sleep(max(min(dues), now))
