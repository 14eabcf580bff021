"""What `rollback` and `abort` share: reach a living run by an order, take up a dead one oneself."""

import sys
import time
from typing import Any

import click

from runner import bootstrap
from runner.cli.by_marker import take_over
from runner.cli.ordering import order_and_wait
from runner.cli.playing import Session, carry_on
from runner.cli.reopening import place_of_record, reopen, session_facts
from runner.cli.states import ClusterState, State, reach_of
from runner.cli.watching import Wishes
from runner.engine.events import Event, RollbackStarted, RunFinished
from runner.engine.evolve import OUTCOME_CODES
from runner.engine.observations import Order, OrderKind
from runner.errors import ExitCode, LockedError, UsageError
from runner.journal.finding import finished

LIVING_PATIENCE = 900.0  # real seconds that a rollback under way is waited for
LOOK_EVERY = 0.5


def go_back(state: State, kind: OrderKind, given: dict[str, Any]) -> int:
    """Take the run of *state* to its safe split, whoever plays it; the exit code."""
    order = Order(kind, bootstrap.who())
    wishes = Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])
    if not state.is_played():
        return _by_ourselves(state, order, given, wishes)
    try:
        return _by_order(state, order)
    except LockedError as silent:
        record = state.read()
        if record.started.target.get("sandbox"):
            raise
        click.echo(f"{silent.message}; waiting until its lease has run out", err=True)
        if isinstance(state, ClusterState):
            return _by_ourselves(state, order, given, wishes)
        # Its state file is locked for as long as that process exists: the objects alone say where safety lies.
        _ask(record.started.target, record.run, wishes)
        place = place_of_record(state, record, reach_of(given), wishes.speed)
        return take_over(place, record)


def _by_ourselves(state: State, order: Order, given: dict[str, Any], wishes: Wishes) -> int:
    reopened = reopen(state, reach_of(given), wishes.speed)
    _ask(reopened.place.target, reopened.record.run, wishes)
    return carry_on(Session(**session_facts(reopened, order)), wishes)


def _ask(target: Any, run: str, wishes: Wishes) -> None:
    """A person at a terminal is asked; the sandbox never asks."""
    if target.get("sandbox") or wishes.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "confirmation is needed, but stdin is no terminal", hint="pass -y to go back without asking"
        )
    if not click.confirm(f"Take {run} on {target.get('context')} back to its safe split?", err=True):
        raise UsageError("not rolled back", hint="nothing was touched")


def _by_order(state: State, order: Order) -> int:
    order_and_wait(state, order, lambda event: isinstance(event, RollbackStarted | RunFinished))
    click.echo("the playing process has begun to roll back", err=True)
    return _end_of(state)


def _end_of(state: State) -> int:
    for _ in range(int(LIVING_PATIENCE / LOOK_EVERY)):
        record = state.read()
        if finished(record):
            last: Event = record.events[-1]
            assert isinstance(last, RunFinished)  # noqa: S101 - that is what `finished` says
            click.echo(f"{last.outcome}: {last.reason}", err=True)
            return OUTCOME_CODES[last.outcome]
        time.sleep(LOOK_EVERY)  # noqa: TID251 - real time, of another process
    return int(ExitCode.ROLLBACK_FAILED)
