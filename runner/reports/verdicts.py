"""One measurement in one line: the value, its bound, how many of how many, and what happens next."""

from collections.abc import Mapping

from runner.engine.events import MeasurementTaken
from runner.engine.judged import count
from runner.model.checks import Agreement, Bounds, Check, Verdict
from runner.model.playbook import Guard, OnFailure
from runner.model.stages import OnInconclusive, Verify
from runner.reports.figures import duration
from runner.reports.measures import Measure, facts
from runner.reports.view import GUARD, RunView, check_of
from runner.reports.wording import joined, one_line, relation, told


def verdict_line(view: RunView, event: MeasurementTaken) -> str:
    """*view* is the one after *event*."""
    check = check_of(view, event)
    measure = view.measures[(event.stage or GUARD, event.check)]
    said = _said(event, check)
    if event.stage is None:
        return joined((said, _after_guard(view, measure)))
    return joined((said, *_after_verify(view, measure, event.stage)))


def _said(event: MeasurementTaken, check: Check | None) -> str:
    """The short form where it says it all, else the judge's own sentence."""
    name, why = one_line(event.check), told(event.reason)
    if event.verdict is Verdict.INCONCLUSIVE or event.value is None or check is None:
        return f"{name}: {why}"
    short = f"{name} {relation(check, event.value, event.verdict)}{_basis(event)}"
    plain = isinstance(check.judgement, Bounds | Agreement) and check.reduce is None
    return short if plain or event.verdict is Verdict.PASSED else joined((short, why))


def _basis(event: MeasurementTaken) -> str:
    """How many requests a ratio rests on, or what was served."""
    known = facts(event)
    bad, of, shares = known.get("bad"), known.get("of"), known.get("shares")
    if isinstance(bad, int | float) and isinstance(of, int | float):
        return f" ({count(bad)} of {count(of)} requests)"
    if isinstance(shares, Mapping):
        return f" (served {', '.join(f'{one_line(str(by))} {share:.1f} %' for by, share in shares.items())})"
    return ""


def _after_verify(view: RunView, measure: Measure, name: str) -> tuple[str, str]:
    """`3/4` and what follows, as the stage's own rules have it."""
    model = view.stage_model(name)
    if model is None or not isinstance(model.kind, Verify):
        return f"{measure.conclusive} taken", ""
    verify = model.kind
    taken = f"{measure.conclusive}/{verify.count}"
    again = f"next in {duration(verify.every)}"
    match measure.last.verdict:
        case Verdict.INCONCLUSIVE:
            return taken, f"not counted, again in {duration(verify.every)}, {_patience(measure, verify)}"
        case Verdict.FAILED if measure.failed > verify.failure_limit:
            return taken, f"the stage fails: {_consequence(view)}"
        case Verdict.FAILED:
            tolerated = f"failure {measure.failed}, {verify.failure_limit} tolerated"
            return taken, tolerated if measure.conclusive >= verify.count else f"{tolerated}, {again}"
        case Verdict.PASSED:
            return taken, "the check has passed" if measure.conclusive >= verify.count else again


def _after_guard(view: RunView, measure: Measure) -> str:
    guard = guard_of(view, measure.check)
    if guard is None:
        return ""
    again = f"next in {duration(guard.every)}"
    match measure.last.verdict:
        case Verdict.INCONCLUSIVE:
            return f"no evidence, again in {duration(guard.every)}, {_patience(measure, guard)}"
        case Verdict.FAILED if measure.in_row > guard.failure_limit:
            return f"the guard is breached: {_consequence(view, guard.route)}"
        case Verdict.FAILED:
            return f"{measure.in_row} in a row, {guard.failure_limit} tolerated, {again}"
        case Verdict.PASSED:
            return f"watching, every {duration(guard.every)}"


def guard_of(view: RunView, check: str) -> Guard | None:
    """The guard that asks *check*."""
    guards = view.playbook.guards if view.playbook else ()
    return next((guard for guard in guards if guard.check.name == check), None)


def _patience(measure: Measure, rule: Verify | Guard) -> str:
    since = measure.last.at if measure.blind_since is None else measure.blind_since
    left = duration(max(0.0, since + rule.patience - measure.last.at))
    then = "pause" if rule.on_inconclusive is OnInconclusive.PAUSE else "rollback"
    return f"{left} of patience before {then}"


def _consequence(view: RunView, route: str | None = None) -> str:
    if view.rollback is not None:
        return "the outcome stays as it is"
    if route is not None and route in view.promoted:
        return "a person decides about a promoted route"
    if view.playbook is not None and view.playbook.on_failure is OnFailure.HOLD:
        return "the run holds, traffic stays"
    return "rollback"
