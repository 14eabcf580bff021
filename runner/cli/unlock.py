"""`runner unlock RUN`."""

import sys
from typing import Any

import click

from runner import bootstrap
from runner.cli import exposure, options
from runner.cli.consent import consent
from runner.cli.reopening import place_of_record
from runner.cli.states import FileState, reach_of, routes_of, state_of
from runner.errors import LockedError, UsageError
from runner.journal.finding import typed


@click.command("unlock")
@click.argument("run", shell_complete=options.known_runs)
@options.where
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(run: str, *, yes: bool, **given: Any) -> None:
    """Break the leases that a dead process of RUN has left behind; a living one keeps them.

    Seldom needed: whoever takes a run up waits half a minute for a silent holder, and takes over by itself.
    """
    state = state_of(run, reach_of(given))
    record = state.read()
    if isinstance(state, FileState) and state.is_played():
        raise LockedError(
            f"a living process plays run {record.run}: {state.path} is locked by it",
            hint=f"`runner rollback {typed(record)}` and `runner abort {typed(record)}` reach it;"
            " a lock ends with its process",
        )
    if record.started.target.get("sandbox"):
        raise UsageError("a run in the sandbox holds no lease", hint="its state file is free")
    place = place_of_record(state, record, reach_of(given), None)
    routes = routes_of(record)
    held = bootstrap.holders(place.cluster, routes, record.run)
    if not held:
        click.echo(f"nothing is locked by run {record.run}")
        return
    question = f"{', '.join(held)} holds it. Is that process dead?"
    consent(question, "not unlocked", yes=yes, to="unlock")
    click.echo("watching whether it is alive", err=True)
    bootstrap.break_leases(place.cluster, place.clock, routes, record.run)
    click.echo(f"the leases of run {record.run} are free")
    for line in exposure.left(record, sys.stdout):
        click.echo(line)
