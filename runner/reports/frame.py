"""One picture of a run, as rows of toned text: pure, so that what a terminal shows can be tested as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.model.playbook import OnInterrupt, Route
from runner.reports.figures import due, duration
from runner.reports.frame_checks import check_rows
from runner.reports.lines import numbered, title
from runner.reports.progress import counted, left
from runner.reports.rows import Row, Span, bar, rule
from runner.reports.terminal import Terminal, Tone, cells
from runner.reports.view import RunView, StageStatus, StageView, Standing
from runner.reports.wording import does, joined, one_line, told

SYMBOLS = {
    StageStatus.PENDING: ("○", Tone.DIM),
    StageStatus.RUNNING: ("◐", Tone.NOW),
    StageStatus.SUCCEEDED: ("✔", Tone.GOOD),
    StageStatus.FAILED: ("✖", Tone.BAD),
    StageStatus.SKIPPED: ("↷", Tone.DIM),
}
MOST_NAME, TIME, BAR, LEAST_BAR, WIDEST, LEAST_STAGES = 34, 8, 30, 8, 132, 3


@dataclass(frozen=True, slots=True)
class Moment:
    """What a picture needs beside the view: the time, what stands in the way, and the newest lines.

    *asks* is a terminal whose keys answer gates.
    """

    now: float
    notice: str = ""
    recent: Sequence[str] = ()
    speed: float | None = None
    standing: str = ""
    asks: bool = False


def frame(view: RunView, moment: Moment, terminal: Terminal, width: int, height: int) -> list[Row]:
    """At most *height* rows of at most *width* columns; stages give way first when there is little room."""
    width = min(width, WIDEST) - 1
    head = [_header(view, moment, terminal, width), rule(width)]
    below = [rule(width), *_traffic(view, terminal, width), *_checks(view, terminal, width)]
    room = height - 1 - len(head) - len(below) - 1
    recent = _recent(moment, terminal, width, room - len(view.planned))
    stages = _stages(view, moment, terminal, width, max(room - len(recent), LEAST_STAGES))
    rows = [*head, *stages, *below, *recent, _hint(view, moment, terminal, width)]
    return [row.spelled(terminal).clipped(width) for row in rows[: max(height - 1, 1)]]


def _checks(view: RunView, terminal: Terminal, width: int) -> list[Row]:
    rows = check_rows(view, terminal, width)
    return [Row(()), *rows] if rows else []


def _header(view: RunView, moment: Moment, terminal: Terminal, width: int) -> Row:
    ran = duration_clock(moment.now - view.started) if view.started is not None else ""
    speed = f" {moment.speed:g}x" if view.sandbox and moment.speed else ""
    right = f"{ran}  ● {moment.standing or view.standing.value}"
    whole = terminal.clip(title(view).replace("SANDBOX", f"SANDBOX{speed}", 1), width - cells(right) - 2)
    before, sandbox, after = whole.partition(f"SANDBOX{speed}") if view.sandbox else (whole, "", "")
    gap = " " * (width - 1 - cells(whole) - cells(right))
    return Row(
        (
            Span(f" {before}", Tone.STRONG),
            Span(sandbox, Tone.WARN),
            Span(after, Tone.STRONG),
            Span(gap),
            Span(right, _standing_tone(view)),
        )
    )


def _standing_tone(view: RunView) -> Tone:
    if view.standing is Standing.RUNNING:
        return Tone.NOW
    return Tone.GOOD if view.standing.value == "succeeded" else Tone.WARN


def duration_clock(seconds: float) -> str:
    """`0:04:41`."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _stages(view: RunView, moment: Moment, terminal: Terminal, width: int, room: int) -> list[Row]:
    """As many stages as there is room for, around the one that runs."""
    stages = view.planned
    longest = max((cells(numbered(view, stage.name)) for stage in stages), default=0)
    name = min(longest, MOST_NAME, width * 2 // 5)
    at = next((n for n, s in enumerate(stages) if s.status is StageStatus.RUNNING), _first_pending(stages))
    first, last = _window(len(stages), at, room)
    rows = [_stage(view, stage, moment, terminal, name, width) for stage in stages[first:last]]
    if first:
        rows[0] = Row((Span(f"   … {first + 1} stages before", Tone.DIM),))
    if last < len(stages):
        rows[-1] = Row((Span(f"   … {len(stages) - last + 1} stages to come", Tone.DIM),))
    return rows


def _first_pending(stages: Sequence[StageView]) -> int:
    return next((n for n, s in enumerate(stages) if s.status is StageStatus.PENDING), len(stages))


def _window(count: int, at: int, room: int) -> tuple[int, int]:
    if count <= room:
        return 0, count
    first = min(max(0, at - room // 2), count - room)
    return first, first + room


def _stage(view: RunView, stage: StageView, moment: Moment, terminal: Terminal, name: int, width: int) -> Row:
    symbol, tone = SYMBOLS[stage.status]
    quiet = Tone.DIM if stage.status is StageStatus.PENDING else Tone.PLAIN
    now = Tone.STRONG if stage.status is StageStatus.RUNNING else quiet
    return Row(
        (
            Span(f" {symbol} ", tone),
            Span(terminal.fit(numbered(view, stage.name), name), now),
            Span("  "),
            *_about(view, stage, moment, terminal, width - name - 7 - TIME),
            Span(f"{_took(stage, moment.now):>{TIME}}", Tone.DIM),
        )
    )


def _about(
    view: RunView, stage: StageView, moment: Moment, terminal: Terminal, room: int
) -> tuple[Span, ...]:
    """What a stage does, why it failed, or how far it has come, in exactly *room* columns."""
    if stage.note:
        tone = Tone.BAD if stage.status is StageStatus.FAILED else Tone.PLAIN
        return (Span(terminal.fit(told(stage.note), room), tone),)
    if stage.status is StageStatus.RUNNING:
        return _running(view, stage, moment, terminal, room)
    model = view.stage_model(stage.name)
    text = does(model) if model is not None else ""
    quiet = Tone.DIM if stage.status is StageStatus.PENDING else Tone.PLAIN
    return (Span(terminal.fit(text, room), quiet),)


def _took(stage: StageView, now: float) -> str:
    if stage.started is None or stage.status is StageStatus.SKIPPED:
        return ""
    return duration((now if stage.ended is None else stage.ended) - stage.started)


def _running(
    view: RunView, stage: StageView, moment: Moment, terminal: Terminal, room: int
) -> tuple[Span, ...]:
    """A countdown where the clock ends the stage, else what it has and what it waits for."""
    until = view.due(stage.name)
    if until is None or stage.started is None:
        model = view.stage_model(stage.name)
        plain = does(model) if model is not None else ""
        text = joined((counted(view, stage.name, moment.now) or plain, moment.notice))
        return (Span(terminal.fit(text, room)),)
    whole = max(until - stage.started, 0.001)
    ends = f"{left(view, moment.now)} of {duration(whole)} · ends {due(until, moment.now, terminal.zone)}"
    columns = min(BAR, room - cells(ends) - 2)
    if columns < LEAST_BAR:
        return (Span(terminal.fit(ends, room)),)
    done = min(max((moment.now - stage.started) / whole, 0.0), 1.0)
    rest = terminal.fit(f"  {ends}", room - columns)
    return (Span(bar(done, columns), Tone.NOW), Span(rest))


def _traffic(view: RunView, terminal: Terminal, width: int) -> list[Row]:
    """Asked and served, subset by subset, of every route whose split is known."""
    routes = [route for route in (view.playbook.routes if view.playbook else ()) if route.name in view.splits]
    if not routes:
        return [Row((Span(" no traffic has been moved yet", Tone.DIM),))]
    subsets = {route.name: _subsets(view, route) for route in routes}
    name = max(cells(_subset_label(route, subset)) for route in routes for subset in subsets[route.name])
    head = f" {terminal.fit('traffic', name)}   asked   served"
    rows = [Row((Span(head, Tone.DIM),))]
    for route in routes:
        rows += [_share(view, route, subset, name, terminal, width) for subset in subsets[route.name]]
    return rows


def _subsets(view: RunView, route: Route) -> list[str]:
    """Stable first, then the canary, then whoever else has traffic."""
    named = [route.stable, route.canary, *view.splits[route.name], *view.served.get(route.name, {})]
    return [subset for subset in dict.fromkeys(named) if subset]


def _subset_label(route: Route, subset: str) -> str:
    role = {route.stable: " stable", route.canary: " canary"}.get(subset, "")
    return one_line(f"{route.name} {subset}{role}")


def _share(view: RunView, route: Route, subset: str, name: int, terminal: Terminal, width: int) -> Row:
    asked = view.splits[route.name][subset]
    served = view.served.get(route.name)
    known = f"{served.get(subset, 0.0):5.1f} %" if served is not None else f"{'-':>7}"
    canary = subset == route.canary
    columns = max(0, min(50, width - name - 24))
    return Row(
        (
            Span(
                f" {terminal.fit(_subset_label(route, subset), name)}   ",
                Tone.STRONG if canary else Tone.PLAIN,
            ),
            Span(f"{asked:3d} %  {known}   "),
            Span(bar(asked / 100, columns, empty=" "), Tone.NOW if canary else Tone.DIM),
        )
    )


def _recent(moment: Moment, terminal: Terminal, width: int, room: int) -> list[Row]:
    """The newest lines, where the stages leave *room* for them."""
    lines = moment.recent[-(room - 1) :] if room > 1 else ()
    if not lines:
        return []
    return [rule(width), *(Row((Span(f" {terminal.clip(line, width - 1)}", Tone.DIM),)) for line in lines)]


def _hint(view: RunView, moment: Moment, terminal: Terminal, width: int) -> Row:
    if view.gate is not None:
        until = due(view.gate.until, moment.now, terminal.zone)
        how = "y or n, then Enter" if moment.asks else f"runner approve {view.typed}"
        asked = joined((f"{one_line(view.gate.message)}  Approve? {how}", f"until {until}"))
        return Row((Span(f" {terminal.clip(asked, width - 1)}", Tone.WARN),))
    if view.standing is Standing.ROLLING_BACK and view.rollback is not None:
        why = joined(("going back", told(view.rollback.reason), moment.notice))
        return Row((Span(f" {terminal.clip(why, width - 1)}", Tone.WARN),))
    held = view.playbook is None or view.playbook.on_interrupt is OnInterrupt.HOLD
    then = "Ctrl-C stops here; traffic stays where it is" if held else "Ctrl-C takes the traffic back"
    return Row((Span(f" {terminal.clip(then, width - 1)}", Tone.DIM),))
