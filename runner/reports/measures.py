"""What one check has shown at one place (a verify stage, or the guards), folded from its measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.engine.events import MeasurementTaken
from runner.model.checks import Verdict

REMEMBERED = 60  # newest measurements that are kept for a spark line


@dataclass(frozen=True, slots=True)
class Measure:
    """Newest measurements of one check; *conclusive* and *failed* count those of the stage's attempt.

    *in_row* counts the newest failures that nothing interrupted, *blind_since* is the first inconclusive
    measurement after the last conclusive one.
    """

    check: str
    last: MeasurementTaken
    values: tuple[float | None, ...] = ()
    conclusive: int = 0
    failed: int = 0
    in_row: int = 0
    blind_since: float | None = None


def measured(known: Measure | None, event: MeasurementTaken) -> Measure:
    """The measure after one more measurement; an inconclusive one counts neither way."""
    known = known or Measure(event.check, event)
    values = (*known.values, event.value)[-REMEMBERED:]
    if event.verdict is Verdict.INCONCLUSIVE:
        since = event.at if known.blind_since is None else known.blind_since
        return replace(known, last=event, values=values, blind_since=since)
    bad = event.verdict is Verdict.FAILED
    return Measure(
        check=event.check,
        last=event,
        values=values,
        conclusive=known.conclusive + 1,
        failed=known.failed + bad,
        in_row=known.in_row + 1 if bad else 0,
    )


def forgotten(measure: Measure) -> Measure:
    """The measure of a resumed run: its past is shown, and does not count."""
    return replace(measure, conclusive=0, failed=0, in_row=0, blind_since=None)


def facts(event: MeasurementTaken) -> Mapping[str, Any]:
    """What the verdict rests on, as the judge noted it; empty where the event does not carry it."""
    found = event.evidence.get("facts", event.evidence)
    return found if isinstance(found, Mapping) else {}
