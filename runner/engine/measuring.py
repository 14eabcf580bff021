"""When a measurement is due, and what the measurements so far add up to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.engine.actions import Action, Measure, Sleep
from runner.engine.events import MeasurementTaken
from runner.engine.lengths import length
from runner.engine.program import Judge
from runner.engine.state import GuardState, RunState, StageState, Tally
from runner.model.checks import Check, Comparison, Verdict
from runner.model.playbook import Guard


def tally_after(tally: Tally | None, event: MeasurementTaken, check: Check | None) -> Tally:
    """An inconclusive measurement does not count; it only starts or continues the wait for evidence."""
    tally = tally or Tally()
    looks = (*tally.looks, *_look(event, check))
    if event.verdict is Verdict.INCONCLUSIVE:
        since = event.at if tally.inconclusive_since is None else tally.inconclusive_since
        return replace(tally, last_at=event.at, inconclusive_since=since, reason=event.reason, looks=looks)
    failed = tally.failed + (event.verdict is Verdict.FAILED)
    return Tally(tally.conclusive + 1, failed, event.at, None, event.reason, looks)


def guard_after(guard: GuardState, event: MeasurementTaken, check: Check) -> GuardState:
    """Failures count in a row; no evidence neither adds one nor forgives one."""
    looks = (*guard.looks, *_look(event, check))
    if event.verdict is Verdict.INCONCLUSIVE:
        since = event.at if guard.inconclusive_since is None else guard.inconclusive_since
        return replace(guard, last_at=event.at, inconclusive_since=since, reason=event.reason, looks=looks)
    failures = guard.failures + 1 if event.verdict is Verdict.FAILED else 0
    return GuardState(failures, event.at, None, event.reason, looks)


def _look(event: MeasurementTaken, check: Check | None) -> tuple[Mapping[str, Any], ...]:
    """What a comparison counted, for it to be added to the next look; the evidence of others is left unread."""
    if check is None or not isinstance(check.judgement, Comparison):
        return ()
    look = event.evidence.get("facts", {}).get("look")
    return (look,) if look is not None else ()


def judged_by(stage: StageState, name: str) -> Check | None:
    """The check called *name* that *stage* verifies."""
    steps = (step for step in stage.steps if isinstance(step, Judge))
    return next((check for step in steps for check in step.checks if check.name == name), None)


def looks_before(action: Measure, state: RunState) -> tuple[Mapping[str, Any], ...]:
    """The earlier looks of the check that *action* measures."""
    if action.guard is None:
        return state.stage.tallies.get(action.check.name, Tally()).looks if state.stage else ()
    guards = zip(state.program.playbook.guards, state.guards, strict=True)
    return next((known.looks for guard, known in guards if guard.check.name == action.guard), ())


def looks_planned(action: Measure, state: RunState) -> int | None:
    """How many looks a verify stage will take at most; a guard's have no end."""
    if action.guard is not None or state.stage is None:
        return None
    return next((step.count for step in state.stage.steps if isinstance(step, Judge)), None)


def judging(state: RunState, stage: StageState, step: Judge, now: float) -> Action | str | None:
    """The next measurement; a string says why the stage failed, None that every check has passed."""
    unfinished = [check for check in step.checks if _tally(stage, check).conclusive < step.count]
    for check in step.checks:
        tally = _tally(stage, check)
        if tally.failed > step.failure_limit:
            return f"{check.name}: {tally.reason}"
    if not unfinished:
        return None
    dues = {check.name: _due(state, stage, step, check) for check in unfinished}
    for check in unfinished:
        if dues[check.name] <= now:
            return Measure(check, stage.name, None, state.last_change)
    return Sleep(min(dues.values()))


def out_of_patience(stage: StageState, step: Judge, now: float) -> str | None:
    """The check that has been without evidence for longer than its patience, in words."""
    for check in step.checks:
        tally = _tally(stage, check)
        if tally.inconclusive_since is not None and now - tally.inconclusive_since >= step.patience:
            return f"{check.name}: no evidence for {length(step.patience)}: {tally.reason}"
    return None


def _tally(stage: StageState, check: Check) -> Tally:
    return stage.tallies.get(check.name, Tally())


def _due(state: RunState, stage: StageState, step: Judge, check: Check) -> float:
    """A query's window must lie after the last shift; later measurements follow at their pace."""
    tally = _tally(stage, check)
    if tally.last_at is not None:
        return tally.last_at + pace(check, step.every)
    change = state.last_change
    return stage.started_at if change is None else max(stage.started_at, change + check.lookback)


def pace(check: Check, every: float) -> float:
    """Seconds between two measurements; a comparison adds up its windows, so they must not overlap."""
    return max(every, check.lookback) if isinstance(check.judgement, Comparison) else every


def watching(state: RunState, guard: Guard) -> bool:
    """A guard watches while its route's canary has traffic."""
    return state.routes[guard.route].canary_since is not None


def guard_due(state: RunState, guard: Guard, known: GuardState) -> float:
    """At once after a shift, then one measurement per *every* seconds."""
    changed = state.routes[guard.route].changed_at or 0.0
    if known.last_at is None or known.last_at < changed:
        return changed
    return known.last_at + pace(guard.check, guard.every)


def guarding(state: RunState, now: float) -> Measure | None:
    """The guard that is to be measured now, the most overdue first."""
    due = [
        (guard_due(state, guard, known), n)
        for n, (guard, known) in enumerate(zip(state.program.playbook.guards, state.guards, strict=True))
        if watching(state, guard)
    ]
    if not due or min(due)[0] > now:
        return None
    guard = state.program.playbook.guards[min(due)[1]]
    return Measure(guard.check, None, guard.check.name, state.routes[guard.route].canary_since)


def next_guard(state: RunState) -> float | None:
    """When the next guard is due; None when none is watching."""
    return min(
        (
            guard_due(state, guard, known)
            for guard, known in zip(state.program.playbook.guards, state.guards, strict=True)
            if watching(state, guard)
        ),
        default=None,
    )


def breached(state: RunState) -> tuple[Guard, str] | None:
    """The first guard whose failures in a row are more than its limit, and what it saw."""
    for guard, known in zip(state.program.playbook.guards, state.guards, strict=True):
        if watching(state, guard) and known.failures > guard.failure_limit:
            return guard, f"guard {guard.check.name}: {known.reason}"
    return None


def blind(state: RunState, now: float) -> tuple[Guard, str] | None:
    """The first guard that has been without evidence for longer than its patience."""
    for guard, known in zip(state.program.playbook.guards, state.guards, strict=True):
        since = known.inconclusive_since
        if watching(state, guard) and since is not None and now - since >= guard.patience:
            return (
                guard,
                f"guard {guard.check.name}: no evidence for {length(guard.patience)}: {known.reason}",
            )
    return None
