"""`-o jsonl`: the journal's own lines, as they become durable."""

from runner.engine.events import Event
from runner.engine.observations import Observation
from runner.reports.output import Output


class JournalLines:
    """A listener that passes every line on."""

    def __init__(self, output: Output) -> None:
        self.output = output

    def heard(self, event: Event, line: str) -> None:
        """Print *line* as the journal has it: it is JSON, and JSON escapes what a terminal would obey."""
        del event
        if line:  # none is in the journal of an event that it could not take
            self.output.write(f"{line}\n")

    def noticed(self, observation: Observation) -> None:
        """What is no event is not printed."""

    def tick(self, now: float) -> None:
        """Time alone is no event."""

    def close(self) -> None:
        """Nothing is kept."""
