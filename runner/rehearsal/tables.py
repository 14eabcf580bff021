"""A rehearsal as rows of words, which text and Markdown set in their own way."""

from collections.abc import Iterator

from runner.engine.events import SplitChanged, StageStarted
from runner.rehearsal.cells import Cell, Said
from runner.rehearsal.rehearse import GateReport, PlayReport, Rehearsal
from runner.reports import forecast as forecasts
from runner.reports.figures import duration, plural
from runner.reports.tables import Row, Table


def verdict(rehearsal: Rehearsal) -> str:
    """The one line that everything comes down to."""
    title = f"{rehearsal.playbook.name} {rehearsal.playbook.version}".strip()
    wrong = len(rehearsal.problems)
    if wrong:
        return f"{title}: {plural(wrong, 'problem')}"
    return f"{title}: every gate lets a good canary through and stops a bad one"


def warnings(rehearsal: Rehearsal) -> tuple[str, ...]:
    """What a reviewer should know, and what fails nothing."""
    of_plays = (f"{report.title}: {text}" for report in rehearsal.plays for text in report.warnings)
    of_gates = (f"{report.gate.title}: {text}" for report in rehearsal.gates for text in report.warnings)
    return (*of_plays, *of_gates)


def played(rehearsal: Rehearsal) -> str:
    """How much was played."""
    return f"{plural(rehearsal.count, 'world')}, {duration(rehearsal.virtual)} of virtual time"


def gates(rehearsal: Rehearsal) -> Table:
    """Gates x faults."""
    head = ("gate", "healthy", *(world.title for world in rehearsal.worlds))
    return Table("Gates and faults", head, tuple(_gate_row(report, rehearsal) for report in rehearsal.gates))


def _gate_row(report: GateReport, rehearsal: Rehearsal) -> Row:
    cells = (_cell(report.cells.get(world.name)) for world in rehearsal.worlds)
    return (report.gate.title, _cell(report.health), *cells)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    if cell.said is Said.FAILED or (cell.said is Said.NO_EVIDENCE and cell.seconds is not None):
        after = "" if cell.seconds is None else f" {duration(cell.seconds)}"
        return ("stops" if cell.said is Said.FAILED else "blind, stops") + after
    return cell.said.value


def plays(rehearsal: Rehearsal) -> Table:
    """Every play of the whole playbook."""
    head = ("world", "outcome", "exit", "stopped by", "traffic at the end", "failed requests")
    return Table("The whole playbook", head, tuple(_play_row(report) for report in rehearsal.plays))


def _play_row(report: PlayReport) -> Row:
    run = report.played
    splits = "; ".join(f"{route} {split}" for route, split in run.splits.items())
    failed = "-" if run.failed is None else f"{run.failed:,}"
    return (report.title, run.ending, str(run.code), ", ".join(run.fired_by) or "-", splits, failed)


def timeline(rehearsal: Rehearsal) -> Table:
    """Stages and weights of the healthy play."""
    rows = tuple(_timeline(rehearsal))
    return Table("Traffic when nothing is wrong", ("after", "stage", "weights"), rows)


def _timeline(rehearsal: Rehearsal) -> Iterator[Row]:
    run = rehearsal.healthy
    stages = [event for event in run.events if isinstance(event, StageStarted)]
    changes = [event for event in run.events if isinstance(event, SplitChanged)]
    for stage in stages:
        moved = [f"{change.route} {change.to}" for change in changes if change.stage == stage.stage]
        yield duration(stage.at - run.started), stage.stage, "; ".join(moved)
    yield duration(run.ended - run.started), "end", ""


def forecast(rehearsal: Rehearsal) -> Table:
    """What each gate can see."""
    return forecasts.gates(rehearsal.forecast)


def exposures(rehearsal: Rehearsal) -> Table:
    """What a canary that fails everything costs."""
    return forecasts.exposures(rehearsal.forecast)


def ends(rehearsal: Rehearsal) -> str:
    """When a run can end, and what the forecast assumes."""
    return forecasts.ends(rehearsal.forecast)
