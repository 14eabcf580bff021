"""Every verdict again: the same judge, the evidence that was kept, and a replay of the run in between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from runner.audit.kept import evidence_of, live_split
from runner.conductor.measuring import sent
from runner.engine.actions import Measure
from runner.engine.events import Event, MeasurementTaken, StageSucceeded
from runner.engine.evolve import evolve
from runner.engine.judge import judge
from runner.engine.judged import ROUNDING, Judged
from runner.engine.measuring import judging, looks_before, looks_planned
from runner.engine.program import Judge, Program
from runner.engine.state import RunState, begin
from runner.model.checks import Check


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the state file that says how something was judged, and what does not follow, if anything.

    *line* counts from 1. *derived* is None where the evidence cannot be read or the line is no measurement.
    """

    line: int
    event: MeasurementTaken | StageSucceeded
    derived: Judged | None
    disagreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was judged in a run, judged again."""

    run: str
    audited: tuple[Audited, ...]

    @property
    def measurements(self) -> int:
        """How many verdicts there were to derive again."""
        return sum(isinstance(audited.event, MeasurementTaken) for audited in self.audited)

    @property
    def disagreements(self) -> tuple[Audited, ...]:
        """The lines that do not follow from what was kept."""
        return tuple(audited for audited in self.audited if audited.disagreements)


def audit(program: Program, events: Sequence[Event]) -> Audit:
    """Replay *events*, but with the verdicts that their evidence leads to.

    A stage that is recorded as succeeded must have had all its measurements, as derived.
    """
    state, audited = begin(program), []
    for line, event in enumerate(events, start=1):
        match event:
            case MeasurementTaken():
                found = _measurement(line, event, state)
                audited.append(found)
                state = evolve(state, _as_derived(event, found.derived))
            case StageSucceeded():
                wrong = tuple(_unfinished(event, state))
                if wrong:
                    audited.append(Audited(line, event, None, wrong))
                state = evolve(state, event)
            case _:
                state = evolve(state, event)
    return Audit(program.run, tuple(audited))


def _as_derived(event: MeasurementTaken, derived: Judged | None) -> MeasurementTaken:
    if derived is None:
        return event
    evidence = {**event.evidence, "facts": derived.facts}
    return replace(event, verdict=derived.verdict, value=derived.value, evidence=evidence)


def _measurement(line: int, event: MeasurementTaken, state: RunState) -> Audited:
    check = _check(event, state)
    if check is None:
        return Audited(line, event, None, (f"the recorded playbook asks no {event.check!r} here",))
    action = Measure(check, event.stage, event.guard, _since(event, state))
    try:
        derived = _judged(action, event, state)
        differences = tuple(_differences(event, derived, action))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Audited(line, event, None, (f"the evidence cannot be read: {error}",))
    return Audited(line, event, derived, differences)


def _check(event: MeasurementTaken, state: RunState) -> Check | None:
    if event.guard is not None:
        guards = state.program.playbook.guards
        return next((guard.check for guard in guards if guard.check.name == event.guard), None)
    steps = state.stage.steps if state.stage is not None and state.stage.name == event.stage else ()
    checks = (check for step in steps if isinstance(step, Judge) for check in step.checks)
    return next((check for check in checks if check.name == event.check), None)


def _since(event: MeasurementTaken, state: RunState) -> float | None:
    """Before when no sample may lie, by the changes of weights that the file records."""
    if event.guard is None:
        return state.last_change
    guard = next(guard for guard in state.program.playbook.guards if guard.check.name == event.guard)
    return state.routes[guard.route].canary_since


def _judged(action: Measure, event: MeasurementTaken, state: RunState) -> Judged:
    return judge(
        action.check,
        evidence_of(event.evidence),
        now=event.at,
        since=action.since,
        live=live_split(event.evidence),
        earlier=looks_before(action, state),
        looks=looks_planned(action, state),
    )


def _differences(event: MeasurementTaken, derived: Judged, action: Measure) -> Iterator[str]:
    if event.verdict is not derived.verdict:
        yield f"recorded {event.verdict}, the evidence says {derived.verdict}: {derived.reason}"
    if not _same(event.value, derived.value):
        yield f"recorded the value {event.value}, the evidence says {derived.value}"
    if event.reason != derived.reason and event.verdict is derived.verdict:
        yield f"recorded {event.reason!r}, the evidence says {derived.reason!r}"
    queries: Mapping[str, Any] = event.evidence.get("queries", {})
    for part, text in sent(action.check, event.at, action.since).items():
        if queries.get(part) != text:
            yield f"the query for {part} was {queries.get(part)!r}, the recorded playbook asks {text!r}"


def _same(recorded: float | None, derived: float | None) -> bool:
    if recorded is None or derived is None:
        return recorded is derived
    return isclose(recorded, derived, rel_tol=ROUNDING, abs_tol=1e-12)


def _unfinished(event: StageSucceeded, state: RunState) -> Iterator[str]:
    """Why the checks of the stage, as derived, do not let it succeed."""
    stage = state.stage
    if stage is None or stage.name != event.stage:
        return
    for step in stage.steps:
        if isinstance(step, Judge):
            left = judging(state, stage, step, event.at)
            if isinstance(left, str):
                yield f"{event.stage!r} is recorded as succeeded, but {left}"
            elif left is not None:
                yield f"{event.stage!r} is recorded as succeeded before all its measurements were conclusive"
