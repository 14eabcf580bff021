"""Tells a run line by line, for logs, CI, and whoever pipes."""

from runner.engine.events import Event, Outcome
from runner.engine.observations import Observation
from runner.reports.fold import fold
from runner.reports.lines import Line, layout, line_of, title
from runner.reports.output import Output
from runner.reports.progress import heartbeat, imminent, notice_after, said_of
from runner.reports.terminal import Tone
from runner.reports.view import RunView, Standing
from runner.reports.wording import one_line, told

HEARTBEAT = 30.0  # seconds of the run's own time without a line
TONES = {
    "succeeded": Tone.GOOD,
    "verified": Tone.GOOD,
    "passed": Tone.DIM,
    "failed": Tone.BAD,
    "FAILED": Tone.BAD,
    "rejected": Tone.BAD,
    "rollback-failed": Tone.BAD,
    "inconclusive": Tone.WARN,
    "paused": Tone.WARN,
    "interrupted": Tone.WARN,
    "out of reach": Tone.WARN,
}


BAD_ENDS = {Outcome.REJECTED, Outcome.ABORTED, Outcome.ROLLBACK_FAILED, Standing.PAUSED, Standing.INTERRUPTED}


class Narrator:
    """A listener: one line an event, and a heartbeat whenever nothing was said for half a minute."""

    def __init__(self, view: RunView, output: Output) -> None:
        self.view = view
        self.output = output
        self._layout = layout(view, output.terminal, output.columns())
        self._notice = ""
        self._now = view.at
        self._spoke: float | None = None
        self._grouped = False

    def heard(self, event: Event, line: str) -> None:
        """Say what *event* says."""
        del line
        before, self.view = self.view, fold(self.view, event)
        said = line_of(before, self.view, event, self.output.terminal)
        self._open_group()
        if said is not None:
            self._say(said)

    def noticed(self, observation: Observation) -> None:
        """Say at once what people must know now; the heartbeat tells the rest."""
        said = said_of(observation, self._notice)
        self._notice = notice_after(self._notice, observation)
        if said is not None and self._spoke is not None:
            self._say(Line(max(self._now, self.view.at), "run", *said))

    def tick(self, now: float) -> None:
        """Give a sign of life, with information in it."""
        self._now = now
        if self._spoke is None or now - self._spoke < HEARTBEAT or self.view.stopped is not None:
            return
        stage = self.view.current
        text = heartbeat(self.view, now, self._notice)
        if text and not imminent(self.view, now):
            self._say(Line(now, stage.name if stage else "run", "…", text))

    def close(self) -> None:
        """End GitHub's group, so that the last words stand outside of it."""
        if self._grouped:
            self.output.line("::endgroup::")
            self._grouped = False
            if self.view.standing in BAD_ENDS:
                self.output.line(_annotation(self.view))

    def _say(self, line: Line) -> None:
        columns = self._layout
        self.output.entry(columns.shown(self.view, line), TONES.get(line.word, Tone.PLAIN), columns.indent)
        self._spoke = line.at

    def _open_group(self) -> None:
        if self.output.terminal.github and not self._grouped:
            self.output.line(f"::group::runner {title(self.view)}")
            self._grouped = True


def _annotation(view: RunView) -> str:
    """GitHub's workflow command for an error (docs.github.com, workflow commands: what must be escaped)."""
    title = f"{view.name} {view.standing.value}"
    for char, code in (("%", "%25"), (":", "%3A"), (",", "%2C")):
        title = title.replace(char, code)
    return f"::error title={one_line(title)}::{told(view.reason).replace('%', '%25')}"
