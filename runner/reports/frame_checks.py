"""The part of the picture that shows what was measured: the stage's checks, and every guard."""

from runner.model.checks import Agreement, Bounds, Check, Verdict
from runner.model.stages import Verify
from runner.reports.figures import duration
from runner.reports.measures import Measure
from runner.reports.rows import Row, Span, spark
from runner.reports.terminal import Terminal, Tone, cells
from runner.reports.verdicts import guard_of
from runner.reports.view import GUARD, RunView, StageStatus
from runner.reports.wording import bound, one_line, value_of

SIGNS = {
    Verdict.PASSED: ("✔", Tone.GOOD),
    Verdict.FAILED: ("✖", Tone.BAD),
    Verdict.INCONCLUSIVE: ("◐", Tone.WARN),
}
MOST_NAME, VALUE, BOUND, COUNT = 30, 18, 20, 20


def check_rows(view: RunView, terminal: Terminal, width: int) -> list[Row]:
    """One row a check, with its newest value, its bound, how many of how many, and its recent past."""
    asked = [*_verified(view), *_guarded(view)]
    if not asked:
        return []
    name = min(max(cells(label) for label, _, _, _ in asked), MOST_NAME)
    head = f"   {'checks':<{name}}  {'last':<{VALUE}} {'allowed':<{BOUND}} {'so far':<{COUNT}}"
    rows = [Row((Span(head, Tone.DIM),))]
    return rows + [
        _row(label, check, measure, told, name, terminal, width) for label, check, measure, told in asked
    ]


Asked = tuple[str, Check, Measure | None, str]


def _verified(view: RunView) -> list[Asked]:
    """The checks of the verify stage that runs, or of the last one that ran."""
    ran = [stage for stage in view.planned if stage.status is not StageStatus.PENDING]
    for stage in reversed(ran):
        model = view.stage_model(stage.name)
        if model is not None and isinstance(model.kind, Verify):
            count = model.kind.count
            measures = [(check, view.measures.get((stage.name, check.name))) for check in model.kind.checks]
            return [(one_line(c.name), c, m, f"{m.conclusive if m else 0}/{count}") for c, m in measures]
    return []


def _guarded(view: RunView) -> list[Asked]:
    guards = view.playbook.guards if view.playbook else ()
    return [
        (f"guard {one_line(g.check.name)}", g.check, m, _guard_state(view, g.check.name, m))
        for g in guards
        for m in [view.measures.get((GUARD, g.check.name))]
    ]


def _guard_state(view: RunView, check: str, measure: Measure | None) -> str:
    guard = guard_of(view, check)
    exposed = {exposure.route.name for exposure in view.exposed}
    if guard is None or guard.route not in exposed:
        return "rests" if measure is not None else "waits for traffic"
    if measure is not None and measure.in_row:
        return f"{measure.in_row} failed in a row"
    return f"every {duration(guard.every)}"


def _row(
    label: str, check: Check, measure: Measure | None, told: str, name: int, terminal: Terminal, width: int
) -> Row:
    sign, tone = SIGNS[measure.last.verdict] if measure is not None else ("○", Tone.DIM)
    value = value_of(check, measure.last.value) if measure is not None else ""
    room = max(0, width - name - VALUE - BOUND - COUNT - 8)
    sparks = spark(measure.values, _top(check), min(room, 40)) if measure is not None else ""
    return Row(
        (
            Span(f" {sign} ", tone),
            Span(f"{terminal.fit(label, name)}  "),
            Span(terminal.fit(value, VALUE), tone),
            Span(f" {terminal.fit(bound(check), BOUND)} {terminal.fit(told, COUNT)} "),
            Span(sparks, Tone.NOW),
        )
    )


def _top(check: Check) -> float:
    """What a full height means: the bound, so that a line at the top is trouble."""
    match check.judgement:
        case Bounds(max=high) if high is not None:
            return high
        case Agreement(tolerance=tolerance):
            return tolerance
        case _:
            return 0.0
