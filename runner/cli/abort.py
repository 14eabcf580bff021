"""`runner abort [RUN]`."""

from typing import Any

import click

from runner.cli import options
from runner.cli.going_back import go_back
from runner.engine.observations import OrderKind
from runner.errors import UsageError
from runner.journal import read
from runner.journal.finding import find, finished, only_unfinished, typed


@click.command("abort")
@click.argument("run", required=False)
@options.where
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Stop RUN, living or not, and take it back; without RUN the only unfinished one."""
    path = find(given["run"]) if given["run"] else only_unfinished("abort")
    record = read(path)
    if finished(record):
        raise UsageError(
            f"run {record.run} is finished", hint=f"take it back with: runner rollback {typed(record)}"
        )
    ctx.exit(go_back(path, OrderKind.ABORT, given))
