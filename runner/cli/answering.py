"""Who answers a gate from this process: a person at the terminal, or the sandbox where nobody can."""

import select
import sys
from collections.abc import Sequence

import click

from runner.bootstrap import who
from runner.engine.events import Event, GateAnswered, GateOpened
from runner.engine.observations import Interrupted, Observation, Order, OrderKind


class Answers:
    """Listens for gates and answers them as an Orders port.

    *waits* stops virtual time for the answer; where nobody is at a terminal and time does not pass by
    itself, nobody could ever answer, and the sandbox says yes.
    """

    def __init__(self, *, at_terminal: bool, waits: bool) -> None:
        self._at_terminal, self._waits = at_terminal, waits
        self._open: GateOpened | None = None

    def heard(self, event: Event, line: str) -> None:
        """Ask when a gate opens."""
        del line
        if isinstance(event, GateOpened):
            self._open = event
            if self._at_terminal:
                click.echo(f"\n{event.message}  approve? y or n, then Enter: ", err=True, nl=False)
        elif isinstance(event, GateAnswered):
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
        if not self._waits and not select.select([sys.stdin], [], [], 0)[0]:
            return ()
        line = sys.stdin.readline()
        self._at_terminal = bool(line)  # at its end a terminal answers nothing any more
        word = line.strip().lower()
        if word in ("y", "yes"):
            return (Order(OrderKind.APPROVE, who()),)
        if word in ("n", "no"):
            return (Order(OrderKind.REFUSE, who()),)
        click.echo("y or n, then Enter: ", err=True, nl=False)
        return ()
