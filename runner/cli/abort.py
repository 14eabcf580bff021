"""`runner abort [RUN]`."""

from typing import Any

import click

from runner.cli import options
from runner.cli.going_back import go_back
from runner.cli.states import FileState, reach_of, state_of
from runner.engine.observations import OrderKind
from runner.errors import UsageError
from runner.journal.finding import finished, only_unfinished, typed


@click.command("abort")
@options.run
@options.where
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Stop RUN, living or not, and take it back; without RUN the only unfinished one."""
    run = given["run"]
    state = state_of(run, reach_of(given)) if run else FileState(only_unfinished("abort"))
    record = state.read()
    if finished(record):
        raise UsageError(
            f"run {record.run} is finished", hint=f"take it back with: runner rollback {typed(record)}"
        )
    ctx.exit(go_back(state, OrderKind.ABORT, given))
