"""What `rollback` and `abort` share: reach a living run by an order, take up a dead one oneself."""

from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Reach
from runner.cli.ordering import order_and_wait
from runner.cli.playing import Session, carry_on
from runner.cli.reopening import reopen, session_facts
from runner.cli.watching import Wishes
from runner.engine.events import Event, RollbackStarted, RunFinished
from runner.engine.evolve import OUTCOME_CODES
from runner.engine.observations import Order, OrderKind
from runner.errors import ExitCode, UsageError
from runner.journal.file import is_held

LIVING_PATIENCE = 900.0  # real seconds that a rollback under way is waited for


def go_back(path: Path, kind: OrderKind, given: dict[str, Any]) -> int:
    """Take the run of *path* to its safe split, whoever plays it; the exit code."""
    order = Order(kind, bootstrap.who())
    if is_held(path):
        return _by_order(path, order)
    wishes = Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])
    reach = Reach(given["kubeconfig"], given["context"], given["prometheus"])
    reopened = reopen(path, reach, wishes.speed)
    _ask(reopened.place.target, path, wishes)
    return carry_on(Session(**session_facts(reopened, order)), wishes)


def _ask(target: Any, path: Path, wishes: Wishes) -> None:
    """A person at a terminal is asked; the sandbox never asks."""
    import sys

    if target.get("sandbox") or wishes.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "confirmation is needed, but stdin is no terminal", hint="pass -y to go back without asking"
        )
    if not click.confirm(f"Take {path.stem} on {target.get('context')} back to its safe split?", err=True):
        raise UsageError("not rolled back", hint="nothing was touched")


def _by_order(path: Path, order: Order) -> int:
    order_and_wait(path, order, lambda event: isinstance(event, RollbackStarted | RunFinished))
    click.echo("the playing process has begun to roll back", err=True)
    return _end_of(path)


def _end_of(path: Path) -> int:
    import time

    from runner.journal import read

    for _ in range(int(LIVING_PATIENCE / 0.5)):
        last: Event = read(path).events[-1]
        if isinstance(last, RunFinished):
            click.echo(f"{last.outcome}: {last.reason}", err=True)
            return OUTCOME_CODES[last.outcome]
        time.sleep(0.5)  # noqa: TID251 - real time, of another process
    return int(ExitCode.ROLLBACK_FAILED)
