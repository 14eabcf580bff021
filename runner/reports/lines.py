"""The form for logs and CI: one line an event, time first, fixed columns."""

from dataclasses import dataclass
from typing import assert_never

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    Event,
    GateAnswered,
    GateEvent,
    GateOpened,
    MeasurementTaken,
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
from runner.model.checks import Verdict
from runner.reports.escape import escape
from runner.reports.figures import clock, date, due, duration
from runner.reports.terminal import Terminal, cells, fill
from runner.reports.verdicts import verdict_line
from runner.reports.view import GUARD, RunView
from runner.reports.wording import does, joined, moved, one_line, told, weights

MOST_PLACE, LEAST_PLACE = 30, 12  # columns for the stage's number and name
TIME, WORD = 8, 12


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words; *place* is the stage's name, or what else spoke."""

    at: float
    place: str
    word: str
    text: str


def line_of(before: RunView, view: RunView, event: Event, terminal: Terminal) -> Line | None:
    """What *event* has to say between two views; None for what another event says better."""
    match event:
        case RunStarted() | RunResumed() | RunPaused() | RunInterrupted() | RunFinished():
            return Line(event.at, "run", *_run(view, event, terminal))
        case StageStarted() | StageSucceeded() | StageFailed() | StageSkipped():
            return Line(event.at, event.stage, *_stage(view, event, terminal))
        case EffectIntended():
            return None
        case EffectDone():
            return _effect(view, event)
        case SplitChanged():
            said = f"{one_line(event.route)} {moved(event.from_, event.to)}"
            return Line(event.at, _place(view, event.stage), "split", said)
        case MeasurementTaken():
            return _measurement(before, view, event)
        case RollbackStarted() | RollbackFinished():
            return Line(event.at, "rollback", *_rollback(view, event))
        case GateOpened() | GateAnswered():
            return Line(event.at, event.stage, *_gate(view, event, terminal))
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns wide enough for one playbook's stages; *indent* is where the text begins."""

    terminal: Terminal
    place: int

    @property
    def indent(self) -> int:
        """The column in which an entry's text begins."""
        return TIME + self.place + WORD + 5

    def shown(self, view: RunView, line: Line) -> str:
        """*line* as text, in its columns."""
        where = self.terminal.fit(numbered(view, line.place), self.place)
        word = fill(line.word, WORD)
        return f"{clock(line.at, self.terminal.zone)}  {where}  {word} {line.text}".rstrip()


def layout(view: RunView, terminal: Terminal, columns: int | None = None) -> Layout:
    """The columns for *view*; of a terminal's *columns* a quarter at most says where, and the text has room."""
    wide = max((cells(numbered(view, stage.name)) for stage in view.stages), default=0)
    most = MOST_PLACE if columns is None else min(MOST_PLACE, columns // 4)
    return Layout(terminal, max(LEAST_PLACE, min(wide, most)))


def compact(view: RunView, line: Line, terminal: Terminal) -> str:
    """The same without columns, where room is short."""
    where = numbered(view, line.place).strip()
    return f"{clock(line.at, terminal.zone)}  {where}: {line.word} {line.text}".rstrip()


def numbered(view: RunView, place: str) -> str:
    """` 4/12 shift 80/20` for a stage, the place itself for anything else."""
    number = view.number(place)
    if number is None:
        return escape(place)
    return f"{number:>{len(str(view.count))}}/{view.count} {escape(place)}"


def _run(view: RunView, event: RunEvent, terminal: Terminal) -> tuple[str, str]:
    match event:
        case RunStarted():
            return "started", joined((title(view), _by(event.by), date(event.at, terminal.zone)))
        case RunResumed():
            where = f"in {numbered(view, view.current.name).strip()}" if view.current is not None else ""
            return "resumed", joined(
                (title(view), _by(event.by), where, _traffic(view), date(event.at, terminal.zone))
            )
        case RunPaused(reason=reason):
            return view.standing.value, joined((_headline(reason), _traffic(view)))
        case RunInterrupted(reason=reason):
            return "interrupted", joined((_headline(reason).removeprefix("interrupted "), _traffic(view)))
        case RunFinished(outcome=outcome, reason=reason):
            took = f"in {duration(event.at - view.started)}" if view.started is not None else ""
            known = view.rollback is not None and reason in (view.rollback.reason, view.rollback.trouble)
            return outcome.value, joined(("" if known else told(reason), took, _traffic(view)))
        case _:
            assert_never(event)


def title(view: RunView) -> str:
    """Which playbook, which run, where."""
    where = f"namespace {one_line(str(view.target['namespace']))}" if view.target.get("namespace") else ""
    name = one_line(f"{view.name} {view.version}".strip())
    return joined((name, f"run {one_line(view.run)}", "SANDBOX" if view.sandbox else _context(view), where))


def _context(view: RunView) -> str:
    context = view.target.get("context")
    return f"context {one_line(str(context))}" if context else ""


def _by(who: str) -> str:
    return f"by {one_line(who)}" if who else ""


def _traffic(view: RunView) -> str:
    return ", ".join(f"{one_line(route)} at {weights(split)}" for route, split in sorted(view.splits.items()))


def _stage(view: RunView, event: StageEvent, terminal: Terminal) -> tuple[str, str]:
    match event:
        case StageStarted(attempt=attempt):
            again = f"attempt {attempt}" if attempt > 1 else ""
            return "started", joined((again, _does(view, event.stage), _ends(view, event, terminal)))
        case StageSucceeded():
            return "succeeded", _took(view, event)
        case StageFailed(reason=reason):
            return "failed", joined((told(reason), _took(view, event)))
        case StageSkipped(reason=reason):
            return "skipped", one_line(reason)
        case _:
            assert_never(event)


def _does(view: RunView, name: str) -> str:
    stage = view.stage_model(name)
    if stage is None:
        return ""
    said = does(stage)
    return said if said.startswith("wait ") else f"{view.kind_of(name)} {said}"


def _headline(reason: str) -> str:
    """The first line; the last words have all of them."""
    return told((reason.splitlines() or [""])[0]).rstrip(":")


def _ends(view: RunView, event: StageStarted, terminal: Terminal) -> str:
    until = view.due(event.stage)
    return f"ends {due(until, event.at, terminal.zone)}" if until is not None else ""


def _took(view: RunView, event: StageSucceeded | StageFailed) -> str:
    stage = view.stage(event.stage)
    return (
        f"in {duration(event.at - stage.started)}" if stage is not None and stage.started is not None else ""
    )


def _effect(view: RunView, event: EffectDone) -> Line | None:
    """A change of weights is told by its split; everything else by the object's name."""
    if event.ref.kind == "VirtualService" and view.kind_of(event.ref.stage) in ("shift", "promote", ""):
        return None
    name = one_line(f"{event.ref.kind}/{event.ref.name}")
    replicas, left, forced, gone = (event.result.get(key) for key in ("replicas", "left", "forced", "gone"))
    if gone:
        return Line(event.at, _place(view, event.ref.stage), "gone", f"{name} was deleted by somebody")
    if replicas is not None:
        said = one_line(f"{name} {event.result.get('before')}→{replicas} replicas")
        return Line(event.at, _place(view, event.ref.stage), "scaled", said)
    note = "was there, left as it is" if left else one_line(str(forced)) if forced else ""
    return Line(event.at, _place(view, event.ref.stage), "kept" if left else "applied", joined((name, note)))


def _place(view: RunView, stage: str) -> str:
    return "rollback" if view.rollback is not None and view.rollback.verified is None else stage or "run"


def _measurement(before: RunView, view: RunView, event: MeasurementTaken) -> Line | None:
    """A guard that goes on passing is told by the heartbeat."""
    word = event.verdict.value if event.verdict is not Verdict.FAILED else "FAILED"
    if event.stage is not None:
        return Line(event.at, event.stage, word, verdict_line(view, event))
    known = before.measures.get((GUARD, event.check))
    quiet = event.verdict is Verdict.PASSED and known is not None and known.last.verdict is Verdict.PASSED
    return None if quiet else Line(event.at, "guard", word, verdict_line(view, event))


def _rollback(view: RunView, event: RollbackEvent) -> tuple[str, str]:
    match event:
        case RollbackStarted(reason=reason, to=to):
            goals = ", ".join(f"{one_line(route)} to {weights(split)}" for route, split in to.items())
            stage = view.stage(view.newest)
            known = stage is not None and stage.note == reason
            return "started", joined((goals or "no route has moved", "" if known else told(reason)))
        case RollbackFinished(verified=True):
            took = f"in {duration(event.at - view.rollback.started)}" if view.rollback is not None else ""
            return "verified", joined((f"read back {took}".strip(), _traffic(view)))
        case RollbackFinished(reason=reason):
            return "FAILED", joined((one_line(reason), "traffic is not known to be safe"))
        case _:
            assert_never(event)


def _gate(view: RunView, event: GateEvent, terminal: Terminal) -> tuple[str, str]:
    match event:
        case GateOpened(message=message, until=until):
            how = f"runner approve {view.typed}"
            return "waiting", joined((one_line(message), f"until {due(until, event.at, terminal.zone)}", how))
        case GateAnswered(answer=answer, by=by, reason=reason):
            return one_line(answer), joined((_by(by), one_line(reason)))
        case _:
            assert_never(event)
