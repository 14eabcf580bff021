"""One live screen of a run, on a real terminal only; it redraws on a change, four times a second at most."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style

from runner.engine.events import Event
from runner.engine.observations import Observation
from runner.reports.fold import fold
from runner.reports.frame import Moment, frame
from runner.reports.lines import Line, compact, layout, line_of
from runner.reports.narrator import TONES
from runner.reports.output import Output
from runner.reports.progress import notice_after, said_of
from runner.reports.rows import Row
from runner.reports.terminal import Terminal, Tone
from runner.reports.view import RunView

PAUSE = 0.25  # seconds between two pictures
RECENT = 3
WINDOW = 60.0  # seconds of traffic that the served shares are taken from
Served = Callable[[float, float], Mapping[str, Mapping[str, float]]]
"""Percent of each route's traffic by subset, between two times."""
STYLES = {
    Tone.PLAIN: Style(),
    Tone.GOOD: Style(color="green"),
    Tone.BAD: Style(color="red", bold=True),
    Tone.WARN: Style(color="yellow"),
    Tone.DIM: Style(dim=True),
    Tone.NOW: Style(color="cyan", bold=True),
    Tone.STRONG: Style(bold=True),
}


class Picture:
    """Rows as rich draws them: finished segments, so that nothing is laid out twice."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Every row on a line of its own."""
        del console, options
        for row in self.rows:
            for span in row.spans:
                if span.text:
                    yield Segment(span.text, STYLES[span.tone])
            yield Segment.line()


class Window:
    """The part of a terminal that is drawn again and again, and gone when it is closed."""

    def __init__(self, output: Output) -> None:
        self._console = console(output)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, screen=False
        )
        self._rows: Sequence[Row] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal, now."""
        return self._console.size

    def show(self, rows: Sequence[Row]) -> bool:
        """Draw *rows* if they differ from what is there; whether they did."""
        if rows == self._rows:
            return False
        if not self._live.is_started:
            self._live.start()
        self._live.update(Picture(rows), refresh=True)
        self._rows = rows
        return True

    def up(self) -> None:
        """Move the cursor back to where the picture ends (CUU, ECMA-48 8.3.22)."""
        if self._live.is_started:
            self._console.file.write("\x1b[1A")

    def say(self, text: str) -> None:
        """Print a line above the picture, where it stays."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the picture away."""
        self._live.stop()


class Screen:
    """A listener: the picture while the run goes on, and at its end the same lines that CI would have had.

    *lines* is where those go; None leaves nothing behind. *served* tells at any time what is served, where
    the place knows; otherwise the newest split check does.
    """

    def __init__(
        self,
        view: RunView,
        output: Output,
        *,
        lines: Output | None = None,
        speed: float | None = None,
        served: Served | None = None,
        asks: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.view = view
        self._terminal = output.terminal
        self._window = Window(output)
        self._output = lines
        self._speed = speed
        self._served = served
        self._asks = asks
        self._monotonic = monotonic
        self._now = view.at
        self._layout = layout(view, output.terminal, (lines or output).columns())
        self._notice = ""
        self._lines: list[tuple[str, Tone]] = []
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._drawn_at = float("-inf")

    def heard(self, event: Event, line: str) -> None:
        """Take *event* into the picture."""
        del line
        before, self.view = self.view, fold(self.view, event)
        self._now = max(self._now, event.at)
        said = line_of(before, self.view, event, self._terminal)
        if said is not None:
            self._keep(said)
        self._draw()

    def noticed(self, observation: Observation) -> None:
        """Show what stands in the way."""
        said = said_of(observation, self._notice)
        self._notice = notice_after(self._notice, observation)
        if said is not None:
            self._keep(Line(self._now, "run", *said))
        self._draw()

    def tick(self, now: float) -> None:
        """Let the countdown go on."""
        self._now = now
        self._draw()

    def close(self) -> None:
        """Take the picture away and leave the lines of the run in its place."""
        self._window.close()
        if self._output is not None:
            indent = self._layout.indent
            for line, tone in self._lines:
                self._output.entry(line, tone, indent)
        self._lines.clear()

    def typed(self) -> None:
        """Somebody pressed Enter, and the terminal moved the cursor down by a line."""
        self._window.up()

    def left(self) -> str:
        """What gives the terminal back when nothing can be closed any more: its cursor (DECTCEM)."""
        return "\x1b[?25h"

    def say(self, text: str) -> None:
        """Put in a word that is no event."""
        self._window.say(self._terminal.spell(text))

    def _keep(self, line: Line) -> None:
        self._lines.append((self._layout.shown(self.view, line), TONES.get(line.word, Tone.PLAIN)))
        self._recent.append(compact(self.view, line, self._terminal))

    def _seen(self) -> RunView:
        """The view, with what is served at this moment."""
        if self._served is None or not self.view.moves:
            return self.view
        since = max(self.view.moves[-1].at, self._now - WINDOW)
        return replace(self.view, served=self._served(since, self._now))

    def _draw(self) -> None:
        at = self._monotonic()
        if at - self._drawn_at < PAUSE or self.view.started is None:
            return
        moment = Moment(self._now, self._notice, tuple(self._recent), self._speed, asks=self._asks)
        if self._window.show(frame(self._seen(), moment, self._terminal, *self._window.size)):
            self._drawn_at = at


def console(output: Output) -> Console:
    """A console that reads no environment of its own: what it may do was decided by the terminal."""
    terminal: Terminal = output.terminal
    return Console(
        file=cast(IO[str], output),
        force_terminal=True,
        color_system="standard" if terminal.color else None,
        no_color=not terminal.color,
        width=terminal.width,
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
