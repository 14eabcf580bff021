"""How a run comes to a stop: finished, held, interrupted, or on its way back."""

from runner.engine.actions import Action, Record
from runner.engine.events import (
    Outcome,
    RollbackFinished,
    RollbackStarted,
    RunFinished,
    RunInterrupted,
    RunPaused,
)
from runner.engine.state import RunState
from runner.engine.way_back import routes_back

PAUSED = 5


def finish(state: RunState, now: float) -> Action:
    """The last word, unless a promoted route was found bad: then a person decides about it."""
    back = state.rollback
    if back is None:
        return Record((RunFinished(now, Outcome.SUCCEEDED, state.splits),))
    promoted = [name for name, route in state.routes.items() if route.promoted and route.split != route.safe]
    if promoted and back.cause in (Outcome.REJECTED, Outcome.ABORTED) and back.verified:
        return hold(now, left_promoted(state, back.reason))
    outcome = back.cause if back.verified else Outcome.ROLLBACK_FAILED
    return Record((RunFinished(now, outcome, state.splits, back.reason),))


def left_promoted(state: RunState, reason: str) -> str:
    """*reason*, and the routes for which nobody but a person decides what follows from it."""
    names = [name for name, route in state.routes.items() if route.promoted]
    why = reason.removesuffix(": failed").removesuffix(": inconclusive")
    stays = (
        "was promoted and stays where it is" if len(names) == 1 else "were promoted and stay where they are"
    )
    return f"{why}; {', '.join(names)} {stays}"


def hold(now: float, reason: str, *, code: int = PAUSED, by: str = "") -> Action:
    """Stand still until a person says what follows; traffic stays."""
    return Record((RunPaused(now, reason, code, by),))


def stand_still(now: float, reason: str, code: int) -> Action:
    """Leave with *code*; traffic stays, and the run can be resumed."""
    return Record((RunInterrupted(now, reason, code),))


def roll_back(state: RunState, now: float, reason: str, cause: Outcome, *, promoted: bool = False) -> Action:
    """The intent to go back, durable before anything moves; from here no stage goes forward."""
    return Record((RollbackStarted(now, reason, cause, routes_back(state, promoted=promoted)),))


def rollback_done(now: float) -> Action:
    """Every route was read back at its safe split."""
    return Record((RollbackFinished(now, verified=True),))


def give_up_rollback(state: RunState, now: float, reason: str) -> Action:
    """Traffic is not known to be safe, and that is the run's last word."""
    finished = RunFinished(now, Outcome.ROLLBACK_FAILED, state.splits, reason)
    return Record((RollbackFinished(now, verified=False, reason=reason), finished))
