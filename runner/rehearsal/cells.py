"""What one gate said in one world."""

from dataclasses import dataclass
from enum import StrEnum

from runner.engine.events import MeasurementTaken, StageSucceeded
from runner.model.checks import Verdict
from runner.rehearsal.expectations import first_fault
from runner.rehearsal.gates import Gate
from runner.rehearsal.playing import Played


class Said(StrEnum):
    """What a gate said; only the second and the third stop a release."""

    PASSED = "passed"
    FAILED = "failed"
    NO_EVIDENCE = "no evidence"
    NOT_REACHED = "not reached"
    NOT_REHEARSED = "not rehearsed"


STOPS = (Said.FAILED, Said.NO_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a gate said in a world, why, and how many seconds after the fault it stopped the release.

    *values* are the lowest and the highest that it measured.
    """

    said: Said
    reason: str
    seconds: float | None = None
    values: tuple[float, float] | None = None


def alone_cell(gate: Gate, played: Played) -> Cell:
    """What *gate* said in a play in which it was the only one."""
    measured = played.measured(gate.check.name, gate.stage or None)
    values = _values(measured)
    for event in reversed(played.firing):
        if event.check == gate.check.name:
            failed = event.verdict is Verdict.FAILED
            said = Said.FAILED if failed else Said.NO_EVIDENCE
            begins = first_fault(played)
            return Cell(said, event.reason, None if begins is None else event.at - begins, values)
    if not measured or played.ending != "succeeded":
        return Cell(Said.NOT_REACHED, played.reason, None, values)
    return _passed(measured)


def healthy_cell(gate: Gate, played: Played) -> Cell | None:
    """What *gate* said in a play with all the others; None where it was not asked to the end."""
    measured = played.measured(gate.check.name, gate.stage or None)
    succeeded = {event.stage for event in played.events if isinstance(event, StageSucceeded)}
    if measured and (gate.stage in succeeded or (gate.guard and played.ending == "succeeded")):
        return _passed(measured)
    return None


def _passed(measured: tuple[MeasurementTaken, ...]) -> Cell:
    """A guard that never saw anything did not pass, though it stopped nobody in its patience."""
    passed = [event for event in measured if event.verdict is Verdict.PASSED]
    if not passed:
        return Cell(Said.NO_EVIDENCE, measured[-1].reason, None, _values(measured))
    return Cell(Said.PASSED, passed[-1].reason, None, _values(measured))


def _values(measured: tuple[MeasurementTaken, ...]) -> tuple[float, float] | None:
    values = [event.value for event in measured if event.value is not None]
    return (min(values), max(values)) if values else None
