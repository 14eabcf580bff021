"""Whether the events of a run can follow one another: sums show damage, not that a story was never played."""

from collections.abc import Iterable

from runner.engine.events import Event, RollbackFinished, StageSkipped, StageStarted, StageSucceeded
from runner.engine.program import Program


def contradiction(program: Program, events: Iterable[Event]) -> int | None:
    """The number, from 1, of the first event of a stage whose turn it was not; None where each had its turn."""
    stages, index = program.stages, 0
    for number, event in enumerate(events, start=1):
        match event:
            case StageStarted(stage=name) | StageSucceeded(stage=name) | StageSkipped(stage=name):
                if index >= len(stages) or stages[index].name != name:
                    return number
                index += not isinstance(event, StageStarted)
            case RollbackFinished():
                stages, index = program.rollback, 0
            case _:
                pass
    return None
