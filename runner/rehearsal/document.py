"""A rehearsal as JSON; `schemas/rehearsal.v1.schema.json` describes it."""

import json
from collections.abc import Mapping
from typing import Any

from runner.engine.events import SplitChanged, StageStarted
from runner.engine.forecast import Forecast
from runner.model.split import Split
from runner.rehearsal import tables
from runner.rehearsal.cells import Cell
from runner.rehearsal.rehearse import GateReport, PlayReport, Rehearsal

API_VERSION = "runner/v1"
DIGITS = 6  # a forecast is no more exact than that


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
        "forecast": _forecast(rehearsal.forecast),
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


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        "assumed": {
            "traffic": dict(forecast.assumed.traffic),
            "base": forecast.assumed.base,
            "scrape": forecast.assumed.scrape,
        },
        "gates": [
            {
                "stage": gate.stage,
                "check": gate.check,
                "guard": gate.guard,
                "requests": _number(gate.requests),
                "enough": gate.enough,
                "sees": _maybe(gate.sees),
                "soak": _maybe(gate.soak),
                "note": gate.note,
            }
            for gate in forecast.gates
        ],
        "exposures": [
            {
                "stage": exposure.stage,
                "share": exposure.share,
                "expected": _maybe(exposure.expected),
                "worst": _maybe(exposure.worst),
                "secondsExpected": _maybe(exposure.seconds[0]),
                "secondsWorst": _maybe(exposure.seconds[1]),
            }
            for exposure in forecast.exposures
        ],
        "expected": _maybe(forecast.expected),
        "worst": _maybe(forecast.worst),
        "earliestEnd": _number(forecast.whole.best),
        "latestEnd": _number(forecast.whole.worst),
    }


def _maybe(value: float | None) -> float | None:
    return None if value is None else _number(value)


def _number(value: float) -> float:
    return round(value, DIGITS)
