"""What an audit found, for people and for programs."""

import json
from typing import Any

from runner.audit.verdicts import Audit, Audited
from runner.engine.events import MeasurementTaken


def render_text(audit: Audit) -> str:
    """Each line that does not follow, and the sum of it all."""
    lines = [_disagreement(audited) for audited in audit.disagreements]
    count = audit.measurements
    if lines:
        return "\n".join([*lines, "", f"{len(lines)} of the verdicts of run {audit.run} do not follow\n"])
    verdicts = f"{count} verdict{'' if count == 1 else 's'}"
    return f"run {audit.run}: {verdicts} derived again from the state file alone, all agree\n"


def _disagreement(audited: Audited) -> str:
    where = _where(audited)
    return "\n".join(f"line {audited.line}: {where}: {wrong}" for wrong in audited.disagreements)


def _where(audited: Audited) -> str:
    event = audited.event
    if not isinstance(event, MeasurementTaken):
        return event.stage
    return f"{event.check} in {event.stage!r}" if event.guard is None else f"guard {event.guard}"


def render_json(audit: Audit) -> str:
    """`{run, agrees, measurements: [...]}`, a line of the state file each."""
    body = {
        "run": audit.run,
        "agrees": not audit.disagreements,
        "measurements": audit.measurements,
        "audited": [_json(audited) for audited in audit.audited],
    }
    return json.dumps(body, indent=2) + "\n"


def _json(audited: Audited) -> dict[str, Any]:
    event, derived = audited.event, audited.derived
    body: dict[str, Any] = {"line": audited.line, "stage": event.stage}
    if isinstance(event, MeasurementTaken):
        body |= {"guard": event.guard, "check": event.check, "recorded": event.verdict.value}
        body["derived"] = None if derived is None else derived.verdict.value
    return body | {"disagreements": list(audited.disagreements)}
