"""What is going on between two events: what is left, what is waited for, what was last seen."""

from runner.engine.events import RollbackStarted
from runner.engine.observations import (
    Interrupted,
    Observation,
    Order,
    Reached,
    Readiness,
    Trouble,
    Unrecorded,
)
from runner.model.stages import Verify
from runner.reports.figures import duration
from runner.reports.view import GUARD, RunView, Standing
from runner.reports.wording import joined, one_line, told, value_of, weights


def notice_after(notice: str, observation: Observation) -> str:
    """What stands in the way now, in words; empty when nothing does."""
    match observation:
        case Readiness(ready=False, reason=reason):
            return f"not ready: {one_line(reason)}"
        case Trouble(reason=reason):
            return f"out of reach: {one_line(reason)}"
        case Readiness():
            return ""
        case Reached():
            return "" if notice.startswith("out of reach") else notice
        case _:
            return notice


def said_of(observation: Observation, notice: str) -> tuple[str, str] | None:
    """The word and text of a line of its own; None for what the heartbeat tells."""
    match observation:
        case Trouble(reason=reason) if not notice.startswith("out of reach"):
            return "out of reach", f"{one_line(reason)} · asking again, less and less often"
        case Reached() if notice.startswith("out of reach"):
            return "reached", "the cluster answers again"
        case Order(kind=kind, by=by, reason=reason):
            return "order", joined((kind.value, f"by {one_line(by)}" if by else "", one_line(reason)))
        case Unrecorded(event=RollbackStarted(reason=reason)):
            return "going back", f"{told(reason)} · as soon as the cluster answers"
        case Interrupted(name=name):
            return "stopping", f"{one_line(name)} · once more leaves at once; the state is saved"
        case _:
            return None


def heartbeat(view: RunView, now: float, notice: str) -> str:
    """One line that says what is left, where the traffic is, and what was last measured."""
    return joined((left(view, now), notice, *traffic(view), *last_values(view)))


def left(view: RunView, now: float) -> str:
    """How long the current stage goes on, or has gone on."""
    stage = view.current
    if view.standing is Standing.ROLLING_BACK and view.rollback is not None:
        return f"going back for {duration(now - view.rollback.started)}"
    if stage is None or stage.started is None:
        return ""
    until = view.due(stage.name)
    if until is not None:
        return f"{duration(max(0.0, until - now))} left"
    return joined((f"for {duration(now - stage.started)}", counted(view, stage.name, now)))


def imminent(view: RunView, now: float) -> bool:
    """Whether the next event is due now, so that a word before it would say nothing."""
    stage = view.current
    if stage is None:
        return False
    model = view.stage_model(stage.name)
    verify = model.kind if model is not None and isinstance(model.kind, Verify) else None
    due = view.due(stage.name) if verify is None else _next_measurement(view, verify, stage.name)
    return due is not None and due <= now


def counted(view: RunView, name: str, now: float) -> str:
    """How many measurements each check of a verify stage has, and when the next is due."""
    model = view.stage_model(name)
    if model is None or not isinstance(model.kind, Verify):
        return ""
    done = {check.name: view.measures.get((name, check.name)) for check in model.kind.checks}
    taken = ", ".join(
        f"{one_line(check)} {measure.conclusive if measure else 0}/{model.kind.count}"
        for check, measure in done.items()
    )
    due = _next_measurement(view, model.kind, name)
    return joined((taken, f"next in {duration(due - now)}" if due is not None and due > now else ""))


def _next_measurement(view: RunView, verify: Verify, name: str) -> float | None:
    """A window must lie after the last shift; later measurements follow at the stage's pace."""
    stage = view.current
    if stage is None or stage.name != name or stage.started is None:
        return None
    shifted = max((move.at for move in view.moves), default=float("-inf"))
    dues = []
    for check in verify.checks:
        measure = view.measures.get((name, check.name))
        if measure is None:
            dues.append(max(stage.started, shifted + check.lookback))
        elif measure.conclusive < verify.count:
            dues.append(measure.last.at + verify.every)
    return min(dues, default=None)


def traffic(view: RunView) -> list[str]:
    """Every route that this run moved, asked and, where known, served."""
    moved = {move.route for move in view.moves}
    return [_route(view, route) for route in sorted(moved)]


def _route(view: RunView, route: str) -> str:
    asked = f"{one_line(route)} at {weights(view.splits[route])}"
    served = view.served.get(route)
    if not served:
        return asked
    shares = " / ".join(f"{one_line(subset)} {share:.1f}" for subset, share in sorted(served.items()))
    return f"{asked}, served {shares}"


def last_values(view: RunView) -> list[str]:
    """The newest value of each guard while it watches."""
    guards = view.playbook.guards if view.playbook else ()
    known = [(guard.check, view.measures.get((GUARD, guard.check.name))) for guard in guards]
    return [
        f"guard {one_line(check.name)} {measure.last.verdict.value}, {value_of(check, measure.last.value)}"
        for check, measure in known
        if measure is not None
    ]
