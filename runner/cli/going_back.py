"""What `rollback` and `abort` share: reach a living run by an order, take up a dead one oneself."""

import os
import sys
import time
from typing import Any

import click

from runner import bootstrap
from runner.cli import exposure, options
from runner.cli.by_marker import take_over
from runner.cli.consent import consent
from runner.cli.ordering import order_and_wait
from runner.cli.playing import Session, carry_on
from runner.cli.reopening import place_of_record, reopen, session_facts
from runner.cli.runs import shown_of
from runner.cli.states import ClusterState, State, reach_of
from runner.cli.watching import Wishes, wishes_of
from runner.engine.events import Outcome, RollbackStarted, RunFinished
from runner.engine.evolve import OUTCOME_CODES
from runner.engine.observations import Order, OrderKind
from runner.errors import LockedError, RollbackUnverifiedError, UsageError
from runner.journal import Record
from runner.journal.codec import encoded
from runner.reports.output import Output
from runner.reports.summary import last_words
from runner.reports.terminal import terminal_of

LIVING_PATIENCE = 900.0  # real seconds that a rollback under way is waited for
LOOK_EVERY = 0.5


def go_back(state: State, kind: OrderKind, given: dict[str, Any]) -> int:
    """Take the run of *state* to its safe split, whoever plays it; the exit code."""
    sandbox = state.read().started.target.get("sandbox")
    options.refuse_elsewhere(click.get_current_context(), sandbox=bool(sandbox))
    order = Order(kind, bootstrap.who())
    wishes = wishes_of(given)
    if not state.is_played():
        return _by_ourselves(state, order, given, wishes)
    try:
        return _by_order(state, order, given, wishes)
    except LockedError as silent:
        if not state.is_played():  # it stopped before it looked
            return _by_ourselves(state, order, given, wishes)
        record = state.read()
        if record.started.target.get("sandbox"):
            raise
        click.echo(f"{silent.message}; waiting until its lease has run out", err=True)
        if isinstance(state, ClusterState):
            return _by_ourselves(state, order, given, wishes)
        # Its state file is locked for as long as that process exists: the objects alone say where safety lies.
        _ask(record.started.target, record.run, wishes)
        place = place_of_record(state, record, reach_of(given), wishes.speed)
        return take_over(place, record, output=wishes.output)


def _by_ourselves(state: State, order: Order, given: dict[str, Any], wishes: Wishes) -> int:
    with exposure.told(state.read()):
        reopened = reopen(state, reach_of(given), wishes.speed)
        _ask(reopened.place.target, reopened.record.run, wishes)
    return carry_on(Session(**session_facts(reopened, order)), wishes)


def _ask(target: Any, run: str, wishes: Wishes) -> None:
    """A person at a terminal is asked; the sandbox never asks."""
    if not target.get("sandbox"):
        question = f"Take {run} on {target.get('context')} back to its safe split?"
        consent(question, "not rolled back", yes=wishes.yes, to="go back")


def _by_order(state: State, order: Order, given: dict[str, Any], wishes: Wishes) -> int:
    known = len(state.read().events)
    order_and_wait(state, order, lambda event: isinstance(event, RollbackStarted | RunFinished))
    click.echo("the playing process has heard it", err=True)
    record = _left(state)
    last = record.events[-1]
    if not isinstance(last, RunFinished) or _promoted_first(last, order):
        return _by_ourselves(state, order, given, wishes)
    _tell(record, known, wishes)
    return OUTCOME_CODES[last.outcome]


def _promoted_first(last: RunFinished, order: Order) -> bool:
    """Whether the run came to its end before the order did: a rollback then takes back the finished run."""
    if last.outcome is not Outcome.SUCCEEDED:
        return False
    if order.kind is OrderKind.ROLLBACK:
        return True
    raise UsageError(
        "the run finished before it could be aborted", hint="take it back with `runner rollback RUN`"
    )


def _left(state: State) -> Record:
    """The record when the playing process has left it. RollbackUnverifiedError when that takes too long."""
    for _ in range(int(LIVING_PATIENCE / LOOK_EVERY)):
        if not state.is_played():
            return state.read()
        time.sleep(LOOK_EVERY)  # noqa: TID251 - real time, of another process
    raise RollbackUnverifiedError(
        f"the process that plays {state.path} has not finished its rollback in {LIVING_PATIENCE / 60:.0f} minutes",
        hint="see what it waits for with `runner status`",
    )


def _tell(record: Record, known: int, wishes: Wishes) -> None:
    """What the other process has done since: its lines, or where it left the traffic."""
    out = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=wishes.plain))
    if wishes.output == "jsonl":
        said = encoded(record.run, record.events)[known:]
    else:
        shown = shown_of(record.path, record, living=False)
        said = last_words(shown.view, out.terminal, handle=shown.handle)
    for line in said:
        out.line(line)
    out.demand()
