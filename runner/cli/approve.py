"""`runner approve RUN`."""

from typing import Any

import click

from runner.bootstrap import who
from runner.cli import options
from runner.cli.ordering import order_and_wait
from runner.cli.states import reach_of, state_of
from runner.engine.events import GateAnswered, GateOpened
from runner.engine.observations import Order, OrderKind
from runner.errors import UsageError
from runner.journal.finding import typed


@click.command("approve")
@options.run
@click.option("--refuse", is_flag=True, help="Say no: the stage fails, and onFailure follows.")
@click.option("--reason", default="", help="Why, for the record.")
@options.cluster
def command(run: str | None, *, refuse: bool, reason: str, **given: Any) -> None:
    """Answer the gate that RUN waits at; without RUN the newest unfinished run."""
    state = state_of(run, reach_of(given), unfinished=run is None)
    record = state.read()
    gates = [event for event in record.events if isinstance(event, GateOpened | GateAnswered)]
    if not gates or isinstance(gates[-1], GateAnswered):
        raise UsageError(
            f"run {record.run} waits at no gate", hint=f"see where it stands: runner status {typed(record)}"
        )
    if not state.is_played():
        raise UsageError(
            f"nobody plays run {record.run}", hint=f"go on with it first: runner resume {typed(record)}"
        )
    kind = OrderKind.REFUSE if refuse else OrderKind.APPROVE
    answer = order_and_wait(state, Order(kind, who(), reason), lambda event: isinstance(event, GateAnswered))
    assert isinstance(answer, GateAnswered)  # noqa: S101 - `order_and_wait` returns what was asked for
    click.echo(f"{answer.stage}: {answer.answer} by {answer.by}")
