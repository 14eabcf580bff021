"""What a measurement's evidence was, read back from how the journal keeps it."""

from collections.abc import Mapping
from typing import Any

from runner.model.evidence import Answer, Evidence, NoAnswer, Sample
from runner.model.split import Split, split_of


def evidence_of(kept: Mapping[str, Any]) -> Evidence:
    """The answers as they came. KeyError, TypeError, ValueError or AttributeError where *kept* is no evidence."""
    return {part: _answer(answer) for part, answer in kept["answers"].items()}


def _answer(kept: Mapping[str, Any]) -> Answer | NoAnswer:
    if "error" in kept:
        return NoAnswer(str(kept["error"]))
    samples = tuple(
        Sample(dict(series["labels"]), float(series["value"]), float(series["at"]))
        for series in kept["series"]
    )
    newest = kept["newest"]
    return Answer(samples, tuple(kept["warnings"]), None if newest is None else float(newest))


def live_split(kept: Mapping[str, Any]) -> Split | None:
    """The weights that were read at the time, where the check looks at them."""
    live = kept.get("live")
    return None if live is None else split_of(live)
