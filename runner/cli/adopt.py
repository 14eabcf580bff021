"""`runner adopt FILE`: the state of a run whose state is lost, rebuilt from the marker on the object."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli import exposure, options
from runner.cli.asked import live_stable
from runner.cli.recording import first_event
from runner.cli.states import reach_of, refuse_existing, refuse_exposed_secrets, state_at
from runner.document.playbook import Loaded, read_playbook
from runner.errors import RunnerError, UsageError
from runner.journal.finding import path_of, typed
from runner.stages.adopting import Marked, Scaled, marked, reached, record_of, scaled, scalers


@click.command("adopt")
@click.argument("file", type=click.Path())
@options.where
@options.reading
@click.option(
    "--state", metavar="FILE|configmap:NS/NAME", help="Where the run is to be recorded from now on."
)
def command(**given: Any) -> None:
    """Rebuild the lost state of the run that moved FILE's routes, so that it can be resumed or rolled back.

    Nothing in the cluster is touched. Stages before the run's last write are skipped, since what they saw is
    lost; those after it are played.
    """
    loaded = _read(given, {})
    clock = bootstrap.real_clock()
    reach = reach_of(given)
    place = bootstrap.on_cluster(
        reach, loaded.playbook, "adopt", clock, lambda text: click.echo(text, err=True)
    )
    found = _of_one_run(marked(place.cluster, loaded.playbook))
    run = found[0].marker.run if found else _run_that_scaled(place, loaded)
    if loaded.unresolved:
        loaded = _read(given, _stables(place, loaded, found))
        known = {route.name: route for route in loaded.playbook.routes}
        found = [replace(item, route=known[item.route.name]) for item in found]
    _write(given, loaded, place, run, found)


def _write(given: dict[str, Any], loaded: Loaded, place: Place, run: str, found: list[Marked]) -> None:
    state = state_at(given["state"] or str(path_of(run)), reach_of(given))
    refuse_existing(state)
    refuse_exposed_secrets(state, loaded)
    root = str(Path(given["root"]).resolve()) if given["root"] else None
    asked = {"namespace": given["namespace"], "root": root}
    first = first_event(loaded, place, given["file"], None, None, asked)
    scalings = scaled(place.cluster, loaded.playbook, run)
    events = record_of(loaded.playbook, found, scalings, first.at)
    journal, _ = state.create(run, first, events)
    journal.close()
    if not found:
        click.echo(f"run {run} has moved no traffic yet, as far as the objects say")
    for item in found:
        click.echo(f"{item.route.name} is at {item.split} by stage {item.marker.stage!r} of run {run}")
    begun = reached(loaded.playbook, found, scalings)
    behind = {stage.name for stage in loaded.playbook.stages[:begun]}
    for scaling in scalings:
        click.echo(_told(scaling, begun=scaling.stage in behind))
    for other in sorted(scalers(place.cluster, loaded.playbook) - {run}):
        click.echo(
            f"run {other} has scaled a Deployment here too, before that run or after; it is not adopted"
        )
    record = state.read()
    handle = typed(record)
    click.echo(f"adopted in {state.path}")
    click.echo(f"go on with `runner resume {handle}`, or back with `runner rollback {handle}`")
    for line in exposure.left(record, sys.stdout):
        click.echo(line)


def _told(item: Scaled, *, begun: bool) -> str:
    """What is known of a scale stage, and what a rollback will make of it."""
    if item.scaling is not None:
        return (
            f"{item.deployment} was scaled from {item.scaling.before} to {item.replicas} by stage {item.stage!r};"
            " a rollback undoes that"
        )
    if begun:
        return (
            f"what {item.deployment} had before stage {item.stage!r} is not known any more; a rollback leaves it as"
            " it is"
        )
    return f"{item.deployment} was not scaled by stage {item.stage!r} yet, as far as it says"


def _read(given: dict[str, Any], stables: dict[str, str]) -> Loaded:
    return read_playbook(
        given["file"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        stables=stables,
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        namespace=given["namespace"],
    )


def _of_one_run(found: list[Marked]) -> list[Marked]:
    """What the one run has moved that is not over; where all are over, the one run that there was, if any."""
    open_ = {item.marker.run for item in found if item.split != item.marker.safe}
    runs = open_ or {item.marker.run for item in found}
    if len(runs) > 1:
        raise UsageError(
            f"several runs have moved the routes of this playbook: {', '.join(sorted(runs))}",
            hint="take each back by its object: runner rollback --route VIRTUALSERVICE -n NAMESPACE",
        )
    return [item for item in found if item.marker.run in runs]


def _run_that_scaled(place: Place, loaded: Loaded) -> str:
    """The one run that no route names, and that has scaled something before it was to move traffic."""
    runs = scalers(place.cluster, loaded.playbook)
    if not runs:
        raise RunnerError(
            "no route of this playbook carries a marker: no run has moved it",
            hint="there is nothing to adopt; `runner play` begins a run",
        )
    if len(runs) > 1:
        raise UsageError(
            f"several runs have scaled the Deployments of this playbook: {', '.join(sorted(runs))}",
            hint="no traffic was moved; scale them by kubectl, and begin a new run: runner play",
        )
    return runs.pop()


def _stables(place: Place, loaded: Loaded, found: list[Marked]) -> dict[str, str]:
    """A stable subset that is not written had all the traffic in the safe split, or has it now."""
    safe = {item.route.name: item.marker.safe for item in found if item.marker.safe is not None}
    return {
        name: next(iter(safe[name])) if name in safe else live_stable(place, loaded, name)
        for name in loaded.unresolved
    }
