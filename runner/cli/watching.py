"""Who watches a run from this process: a screen or lines, the journal's lines, a log file."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from runner.engine.events import Event, Outcome
from runner.engine.observations import Observation
from runner.errors import LockedError, RunnerError
from runner.model.playbook import Playbook
from runner.ports import Listener
from runner.reports.figures import plural
from runner.reports.fold import fold, opening, replay
from runner.reports.jsonl import JournalLines
from runner.reports.narrator import Narrator
from runner.reports.output import Output
from runner.reports.summary import last_words, standing
from runner.reports.terminal import terminal_of
from runner.reports.view import Failures, RunView
from runner.reports.wording import one_line

if TYPE_CHECKING:
    from runner.logs import Sink
    from runner.reports.screen import Screen


class Teller(Listener, Protocol):
    """A listener that has something to put away at the end."""

    def close(self) -> None:
        """Leave the stream as whoever comes next expects it."""


Served = Callable[[float, float], Mapping[str, Mapping[str, float]]]
Failed = Callable[[float, float], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the person wants to watch."""

    output: str = "text"
    speed: float | None = None
    plain: bool = False
    log_file: str | None = None
    yes: bool = False


def wishes_of(given: Mapping[str, Any]) -> Wishes:
    """What the options of `options.watching` come to."""
    return Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])


def refuse_unwritable_log(wishes: Wishes) -> None:
    """RunnerError, before a run begins, where its log file cannot be opened."""
    if wishes.log_file is not None:
        _opened(wishes.log_file).close()


def _log(wishes: Wishes) -> "tuple[list[Listener], Sink | None]":
    """The log file, JSON lines, and what counts the lines that it did not take."""
    if wishes.log_file is None:
        return [], None
    from runner import logs

    sink = logs.Sink(_opened(wishes.log_file))
    logs.cap_libraries(sink)
    return [logs.EventLog(logs.open_log(sink))], sink


def _opened(file: str) -> TextIO:
    from runner import logs

    try:
        return logs.open_file(Path(file))
    except OSError as error:
        hint = "choose another --log-file"
        raise RunnerError(f"{file} cannot be written: {error.strerror}", hint=hint) from None


class Watchers:
    """One listener made of several; what cannot be written never stops the run."""

    def __init__(
        self,
        run: str,
        handle: str,
        playbook: Playbook,
        wishes: Wishes,
        past: Sequence[Event],
        *,
        instant: bool,
        served: Served | None = None,
    ) -> None:
        self._stdout = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=wishes.plain))
        self._stderr = Output(sys.stderr, terminal_of(sys.stderr, os.environ, plain=wishes.plain))
        self._words = self._stderr if wishes.output == "jsonl" else self._stdout
        self._view = replay(opening(run, playbook, handle=handle), past)
        self._screen = None if instant else self._live_screen(wishes, served)
        self._tellers = self._lines(wishes)
        self._unrecorded = 0
        log, self._log = _log(wishes)
        self._listeners: list[Listener] = [*self._tellers, *log]

    def _live_screen(self, wishes: Wishes, served: Served | None) -> "Screen | None":
        """On a real terminal only; the lines follow when it closes, unless they go elsewhere as they come."""
        if wishes.output == "jsonl" or not self._stderr.terminal.live:
            return None
        from runner.reports.screen import Screen

        lines = self._stdout if self._stdout.terminal.live else None
        return Screen(
            self._view, self._stderr, lines=lines, speed=wishes.speed, served=served, asks=sys.stdin.isatty()
        )

    def _lines(self, wishes: Wishes) -> list[Teller]:
        if wishes.output == "jsonl":
            return [JournalLines(self._stdout)]
        if self._screen is None:
            return [Narrator(self._view, self._stdout)]
        if self._stdout.terminal.live:
            return [self._screen]  # the lines follow when it closes
        return [Narrator(self._view, self._stdout), self._screen]

    def heard(self, event: Event, line: str) -> None:
        """Tell everybody; an event without a line is one that the state lacks."""
        self._unrecorded += not line
        self._view = fold(self._view, event)
        for listener in self._listeners:
            listener.heard(event, line)

    def noticed(self, observation: Observation) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener.noticed(observation)

    def tick(self, now: float) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener.tick(now)

    @contextmanager
    def watching(self, notes: Sequence[str], doubts: Sequence[str]) -> Iterator[None]:
        """Until the block ends; *notes* and *doubts* of the place are said first."""
        for note in notes:
            self._words.line(f"assumed: {note}")
        for doubt in dict.fromkeys(doubts):
            self._words.line(f"warning: {doubt}")
        try:
            yield
        finally:
            for teller in self._tellers:
                teller.close()

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; None while it has not."""
        return self._view.outcome

    @property
    def typed(self) -> Callable[[], None] | None:
        """What a live screen does when somebody pressed Enter on it; None without one."""
        return None if self._screen is None else self._screen.typed

    def interrupted(self, name: str) -> None:
        """Say at once that the signal was heard."""
        say = self._stderr.line if self._screen is None else self._screen.say
        say(f"{name}: stopping at a safe point. Once more: leave now (what was done is recorded).")

    def parting(self, handle: str) -> str:
        """What is said when somebody leaves at once."""
        opened = "" if self._screen is None else self._screen.left()
        return f"{opened}\nLeft. What was done is in the state file.\n{self._standing(handle)}\n"

    def note_exposed(self, error: Exception, handle: str) -> None:
        """Let *error*, which breaks the run off, be followed by where it leaves a canary that has traffic, or may.

        Where another process has taken the run over, nobody here knows that it is not watched.
        """
        if not (self._view.exposed or self._view.unsure):
            return
        if isinstance(error, LockedError):
            lines = standing(self._view, self._stderr.terminal, handle=handle, watched=True)
            error.add_note("\n".join(lines))
        else:
            error.add_note(self._standing(handle))

    def _standing(self, handle: str) -> str:
        """The last words of a run that could not end as it should, without their headline."""
        _, *lines = last_words(self._view, self._stderr.terminal, handle=handle)
        return "\n".join(lines)

    def last_words(self, handle: str, failures: Failed | None) -> None:
        """How it ended, and what a person can do now."""
        view = self._counted(failures)
        self._words.line()
        if self._unrecorded:
            self._words.line(
                f"warning: the state of {one_line(handle)} could not be reached, and lacks the last"
                f" {plural(self._unrecorded, 'event')}; `runner resume` goes on from before, guards first"
            )
        for line in last_words(view, self._words.terminal, handle=handle):
            self._words.line(line)
        self._stdout.close()
        if (trouble := self._stdout.trouble) is not None:
            self._stderr.line(f"warning: standard output did not take every line: {trouble.strerror}")
        if self._log is not None and self._log.dropped:
            self._stderr.line(f"warning: the log file did not take {self._log.dropped} lines")
        self._stderr.close()

    def _counted(self, failures: Failed | None) -> RunView:
        """With the requests that failed while a canary had traffic, where the place can tell."""
        asked = tuple(_near(word) for word in self._view.asked)
        view = replace(self._view, source=_near(self._view.source), asked=asked)
        moved = [move.at for move in view.moves]
        if failures is None or not moved:
            return view
        failed, of = failures(min(moved), max(view.at, *moved))
        return replace(view, failures=Failures(failed, of))


def _near(file: str) -> str:
    """*file* as a person here would type it."""
    here = Path.cwd()
    path = Path(file)
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
