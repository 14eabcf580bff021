"""A rehearsal as JSON; `schemas/rehearsal.v1.schema.json` describes it."""

import json
from collections.abc import Mapping
from typing import Any

from runner.engine.events import SplitChanged, StageStarted
from runner.model.split import Split
from runner.rehearsal import tables
from runner.rehearsal.cells import Cell
from runner.rehearsal.rehearse import GateReport, PlayReport, Rehearsal
from runner.reports.forecast import DIGITS, forecast_document

API_VERSION = "runner/v1"


def render_json(rehearsal: Rehearsal) -> str:
    """The same bytes for the same playbook, scenarios and version."""
    return json.dumps(as_document(rehearsal), indent=2, allow_nan=False) + "\n"


def as_document(rehearsal: Rehearsal) -> dict[str, Any]:
    """The rehearsal as plain JSON; times are seconds after the start."""
    book = rehearsal.playbook
    return {
        "apiVersion": API_VERSION,
        "kind": "Rehearsal",
        "playbook": {"name": book.name, "version": book.version},
        "passed": not rehearsal.problems,
        "problems": list(rehearsal.problems),
        "warnings": list(tables.warnings(rehearsal)),
        "gates": [_gate(report) for report in rehearsal.gates],
        "plays": [_play(report) for report in rehearsal.plays],
        "forecast": forecast_document(rehearsal.forecast),
        "assumptions": list(rehearsal.assumptions),
        "worlds": [{"name": world.name, "tells": world.tells} for world in rehearsal.worlds],
        "worldsPlayed": rehearsal.count,
        "virtualSeconds": _number(rehearsal.virtual),
    }


def _gate(report: GateReport) -> dict[str, Any]:
    return {
        "check": report.gate.check.name,
        "stage": report.gate.stage or None,
        "guard": report.gate.guard,
        "route": report.gate.route,
        "healthy": _cell(report.health),
        "worlds": {name: _cell(cell) for name, cell in report.cells.items()},
        "problems": list(report.problems),
        "warnings": list(report.warnings),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {"said": cell.said.value, "reason": cell.reason, "after": _maybe(cell.seconds)}


def _play(report: PlayReport) -> dict[str, Any]:
    run = report.played
    return {
        "world": report.title,
        "outcome": run.ending,
        "exitCode": run.code,
        "reason": run.reason,
        "firedBy": list(run.fired_by),
        "splits": _splits(run.splits),
        "seconds": _number(run.ended - run.started),
        "failedRequests": run.failed,
        "stages": [
            {"stage": event.stage, "at": _number(event.at - run.started)}
            for event in run.events
            if isinstance(event, StageStarted)
        ],
        "splitChanges": [
            {"route": event.route, "to": event.to.as_dict(), "at": _number(event.at - run.started)}
            for event in run.events
            if isinstance(event, SplitChanged)
        ],
        "problems": list(report.problems),
        "warnings": list(report.warnings),
    }


def _splits(splits: Mapping[str, Split | None]) -> dict[str, dict[str, int] | None]:
    return {name: None if split is None else split.as_dict() for name, split in splits.items()}


def _maybe(value: float | None) -> float | None:
    return None if value is None else _number(value)


def _number(value: float) -> float:
    return round(value, DIGITS)
