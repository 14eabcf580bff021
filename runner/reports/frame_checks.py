"""The part of the picture that shows what was measured: the stage's checks, and every guard."""

from collections.abc import Iterable
from dataclasses import dataclass

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
MOST_NAME, MOST_CELL, SPARK = 30, 24, 40


@dataclass(frozen=True, slots=True)
class Asked:
    """One row's words: who asks, what was last seen, what is allowed, how far it has come."""

    label: str
    last: str
    allowed: str
    so_far: str
    check: Check
    measure: Measure | None


def check_rows(view: RunView, terminal: Terminal, width: int) -> list[Row]:
    """One row a check, with its newest value, its bound, how many of how many, and its recent past."""
    asked = [*_verified(view), *_guarded(view)]
    if not asked:
        return []
    columns = (
        min(max(cells(row.label) for row in asked), MOST_NAME),
        _widest("last", (row.last for row in asked)),
        _widest("allowed", (row.allowed for row in asked)),
        _widest("so far", (row.so_far for row in asked)),
    )
    names = ("checks", "last", "allowed", "so far")
    head = "  ".join(terminal.fit(name, wide) for name, wide in zip(names, columns, strict=True))
    return [Row((Span(f"   {head}", Tone.DIM),)), *(_row(row, columns, terminal, width) for row in asked)]


def _widest(head: str, texts: Iterable[str]) -> int:
    return min(max(len(head), *(cells(text) for text in texts)) + 1, MOST_CELL)


def _asked(label: str, check: Check, measure: Measure | None, so_far: str) -> Asked:
    last = value_of(check, measure.last.value) if measure is not None else ""
    return Asked(label, last, bound(check), so_far, check, measure)


def _verified(view: RunView) -> list[Asked]:
    """The checks of the verify stage that runs, or of the last one that ran."""
    ran = [stage for stage in view.planned if stage.status is not StageStatus.PENDING]
    for stage in reversed(ran):
        model = view.stage_model(stage.name)
        if model is not None and isinstance(model.kind, Verify):
            count = model.kind.count
            measures = [(check, view.measures.get((stage.name, check.name))) for check in model.kind.checks]
            return [
                _asked(one_line(c.name), c, m, f"{m.conclusive if m else 0}/{count}") for c, m in measures
            ]
    return []


def _guarded(view: RunView) -> list[Asked]:
    guards = view.playbook.guards if view.playbook else ()
    return [
        _asked(f"guard {one_line(g.check.name)}", g.check, m, _guard_state(view, g.check.name, m))
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
    if measure is not None and measure.blind_since is not None:
        blind = measure.last.at - measure.blind_since
        return f"blind {duration(blind)} of {duration(guard.patience)}"
    return f"every {duration(guard.every)}"


def _row(asked: Asked, columns: tuple[int, int, int, int], terminal: Terminal, width: int) -> Row:
    measure = asked.measure
    sign, tone = SIGNS[measure.last.verdict] if measure is not None else ("○", Tone.DIM)
    label, last, allowed, so_far = columns
    room = max(0, width - sum(columns) - 12)
    sparks = spark(measure.values, _top(asked.check), min(room, SPARK)) if measure is not None else ""
    rest = f"  {terminal.fit(asked.allowed, allowed)}  {terminal.fit(asked.so_far, so_far)}  "
    return Row(
        (
            Span(f" {sign} ", tone),
            Span(f"{terminal.fit(asked.label, label)}  "),
            Span(terminal.fit(asked.last, last), tone),
            Span(rest),
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
