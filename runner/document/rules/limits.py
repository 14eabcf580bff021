"""Numbers that can never be reached, and times that do not fit into each other."""

from collections.abc import Iterator
from math import ceil
from typing import Final

from runner.document.draft import Draft, StageDraft
from runner.errors import Diagnostic


def failure_limit(draft: Draft) -> Iterator[Diagnostic]:
    """A verify that tolerates as many failures as it takes measurements can never reject."""
    for stage in draft.stages:
        keys = ("count", "for", "every", "failureLimit") if "for" in stage.body else ("count", "failureLimit")
        if stage.kind != "verify" or not all(draft.sound((*stage.body_path, key)) for key in keys):
            continue
        count, limit = measurements(stage), stage.body.get("failureLimit", 0)
        if limit >= count:
            message = f"this can never reject: {limit} failures are tolerated in {count} measurements"
            hint = (
                f"failureLimit: {count - 1} rejects when all fail" if count > 1 else "take more measurements"
            )
            yield draft.say("RUN509", message, (*stage.body_path, "failureLimit"), hint=hint)


def one_measurement(draft: Draft) -> Iterator[Diagnostic]:
    """`for` shorter than `every` is one measurement, which nobody means who writes a time."""
    for stage in draft.stages:
        if stage.kind == "verify" and stage.sound and "for" in stage.body:
            span, every = stage.seconds("for", "5m"), stage.seconds("every", "30s")
            if span < every:
                message = f'"for: {stage.body["for"]}" is shorter than the time between measurements'
                yield draft.warn("RUN531", message, (*stage.body_path, "for"), hint="lower every")


def deadline(draft: Draft) -> Iterator[Diagnostic]:
    """A run that cannot end in time is rolled back however well the canary does."""
    if not draft.sound(("deadline",)) or not all(stage.sound for stage in draft.stages):
        return
    text = draft.tree.get("deadline")
    if not isinstance(text, str):
        return
    from runner.document.durations import seconds

    least = sum(shortest(stage) for stage in draft.stages)
    if least > seconds(text):
        message = f"the stages take {_minutes(least)} at least, and the deadline is {text}"
        yield draft.say("RUN532", message, ("deadline",), hint="raise the deadline or shorten the waits")


def measurements(stage: StageDraft) -> int:
    """How many measurements of each check a verify stage takes."""
    if "for" in stage.body:
        return max(1, ceil(stage.seconds("for", "5m") / stage.seconds("every", "30s")))
    count = stage.body.get("count", 5)
    return int(count) if isinstance(count, int | float) else 5


def shortest(stage: StageDraft) -> float:
    """The seconds that a stage takes when all goes well."""
    if stage.kind == "wait" and stage.duration is not None:
        from runner.document.durations import seconds

        return seconds(stage.duration)
    if stage.kind == "verify":
        return (measurements(stage) - 1) * stage.seconds("every", "30s")
    return 0.0


def _minutes(length: float) -> str:
    hours, rest = divmod(round(length), 3600)
    minutes, over = divmod(rest, 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{over}s" if over else ""]
    return "".join(parts) or "0s"


RULES: Final = (failure_limit, one_measurement, deadline)
