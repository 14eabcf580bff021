"""`runner rollback [RUN]`, and `runner rollback --route R -n NS` without a state file."""

from typing import Any

import click

from runner.cli import options
from runner.cli.going_back import go_back
from runner.cli.states import FileState, reach_of, state_of
from runner.engine.observations import OrderKind
from runner.errors import UsageError
from runner.journal.finding import only_unfinished


@click.command("rollback")
@options.run
@click.option(
    "--route", metavar="VIRTUALSERVICE", help="Without a state file: go by the marker on this object."
)
@click.option("-n", "--namespace", metavar="NAME", help="The namespace of --route.")
@options.where
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Take RUN, living, unfinished or finished, to its safe split; without RUN the only unfinished one."""
    if given["route"]:
        from runner.cli.by_marker import go_back_by_marker

        if given["run"] or not given["namespace"]:
            raise UsageError("--route goes with -n NAMESPACE, and without RUN")
        options.refuse(
            ctx, ("prometheus", "speed", "log_file"), "nothing is played, the marker says what is safe"
        )
        ctx.exit(go_back_by_marker(given))
    options.refuse(ctx, ("namespace",), "a run knows its own; it goes with --route")
    run = given["run"]
    state = state_of(run, reach_of(given)) if run else FileState(only_unfinished("rollback"))
    ctx.exit(go_back(state, OrderKind.ROLLBACK, given))
