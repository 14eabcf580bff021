"""Who answers a gate from this process: a person at the terminal, or the sandbox where nobody can."""

import os
import select
import sys
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from runner.bootstrap import who
from runner.engine.events import Event, GateOpened, MeasurementTaken
from runner.engine.observations import Interrupted, Observation, Order, OrderKind
from runner.reports.wording import one_line


class Answers:
    """Listens for gates and answers them as an Orders port.

    *waits* stops virtual time for the answer (see `holds`); where nobody is at a terminal and time does not
    pass by itself, nobody could ever answer, and the sandbox says yes. *typed* is a live screen's way to learn that
    somebody pressed Enter on it; such a screen shows the question itself.
    """

    def __init__(self, *, at_terminal: bool, waits: bool, typed: Callable[[], None] | None = None) -> None:
        self._at_terminal, self._waits, self._typed = at_terminal, waits, typed
        self._open: GateOpened | None = None

    def heard(self, event: Event, line: str) -> None:
        """Ask when a gate opens; whatever happens next but a guard's look closes it, answered or not."""
        del line
        if isinstance(event, GateOpened):
            self._open = event
            if self._at_terminal:
                _forget_what_was_typed()
                self._ask(f"\n{one_line(event.message)}  approve? ")
        elif not isinstance(event, MeasurementTaken):
            self._open = None

    def noticed(self, observation: Observation) -> None:
        """Nothing to answer."""

    def tick(self, now: float) -> None:
        """Nothing to answer."""

    def poll(self) -> Sequence[Order | Interrupted]:
        """The answer, once it is there."""
        if self._open is None:
            return ()
        if not self._at_terminal:
            return (Order(OrderKind.APPROVE, "the sandbox", "nobody is there to ask"),) if self._waits else ()
        if not select.select([sys.stdin], [], [], 0)[0]:
            return ()
        line = _what_was_typed()
        if not line:
            self._leave_unanswered()
            return ()
        if self._typed is not None and line.endswith("\n"):
            self._typed()
        word = line.strip().lower()
        if word in ("y", "yes"):
            return (Order(OrderKind.APPROVE, who()),)
        if word in ("n", "no"):
            return (Order(OrderKind.REFUSE, who()),)
        self._ask("")
        return ()

    def holds(self) -> bool:
        """Whether time stands still until somebody at the terminal has answered."""
        return self._waits and self._at_terminal and self._open is not None

    def _leave_unanswered(self) -> None:
        """Ctrl-D is no answer: virtual time goes on to the gate's timeout, as real time does by itself."""
        if self._waits:
            self._open = None
            click.echo("\nno answer: time goes on to the timeout of the gate", err=True)

    def _ask(self, question: str) -> None:
        if self._typed is None:
            click.echo(f"{question}y or n, then Enter: ", err=True, nl=False)


def _what_was_typed() -> str:
    """What a terminal has ready, nothing at its end; Ctrl-D in a line sends that line off without Enter."""
    try:
        return os.read(sys.stdin.fileno(), 4096).decode(errors="replace")
    except OSError:  # the terminal is gone
        return ""


def _forget_what_was_typed() -> None:
    """A key that was pressed before the question is no answer to it."""
    with suppress(termios.error):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
