"""`runner approve RUN`."""

import click

from runner.bootstrap import who
from runner.cli.ordering import order_and_wait
from runner.engine.events import GateAnswered, GateOpened
from runner.engine.observations import Order, OrderKind
from runner.errors import UsageError
from runner.journal import read
from runner.journal.file import is_held
from runner.journal.finding import find, typed


@click.command("approve")
@click.argument("run", required=False)
@click.option("--refuse", is_flag=True, help="Say no: the stage fails, and onFailure follows.")
@click.option("--reason", default="", help="Why, for the record.")
def command(run: str | None, *, refuse: bool, reason: str) -> None:
    """Answer the gate that RUN waits at; without RUN the newest unfinished run."""
    path = find(run, unfinished=run is None)
    record = read(path)
    gates = [event for event in record.events if isinstance(event, GateOpened | GateAnswered)]
    if not gates or isinstance(gates[-1], GateAnswered):
        raise UsageError(
            f"run {record.run} waits at no gate", hint=f"see where it stands: runner status {typed(record)}"
        )
    if not is_held(path):
        raise UsageError(
            f"nobody plays run {record.run}", hint=f"go on with it first: runner resume {typed(record)}"
        )
    kind = OrderKind.REFUSE if refuse else OrderKind.APPROVE
    answer = order_and_wait(path, Order(kind, who(), reason), lambda event: isinstance(event, GateAnswered))
    assert isinstance(answer, GateAnswered)  # noqa: S101 - `order_and_wait` returns what was asked for
    click.echo(f"{answer.stage}: {answer.answer} by {answer.by}")
