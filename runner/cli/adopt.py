"""`runner adopt FILE`: the state of a run whose state is lost, rebuilt from the marker on the object."""

from dataclasses import replace
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli import options
from runner.cli.recording import first_event
from runner.cli.states import reach_of, refuse_existing, state_at
from runner.document.playbook import Loaded, read_playbook
from runner.errors import RunnerError, UsageError
from runner.journal.finding import path_of, typed
from runner.stages.adopting import Marked, marked, record_of


@click.command("adopt")
@click.argument("file", type=click.Path())
@options.where
@click.option("-n", "--namespace", metavar="NAME", help="Replaces the playbook's target.namespace.")
@options.variables
@click.option("--root", metavar="DIR", help="The folder that manifests may lie in; default the repository.")
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
    found = marked(place.cluster, loaded.playbook)
    run = _run_of(found)
    if loaded.unresolved:
        loaded = _read(given, _stables(loaded, found))
        known = {route.name: route for route in loaded.playbook.routes}
        found = [replace(item, route=known[item.route.name]) for item in found]
    _write(given, loaded, place, run, found)


def _write(given: dict[str, Any], loaded: Loaded, place: Place, run: str, found: list[Marked]) -> None:
    state = state_at(given["state"] or str(path_of(run)), reach_of(given))
    refuse_existing(state)
    asked = {"namespace": given["namespace"], "root": given["root"]}
    first = first_event(loaded, place, given["file"], None, None, asked)
    events = record_of(loaded.playbook, found, first.at)
    journal, _ = state.create(run, first)
    try:
        journal.append(events)
    finally:
        journal.close()
    for item in found:
        click.echo(f"{item.route.name} is at {item.split} by stage {item.marker.stage!r} of run {run}")
    handle = typed(state.read())
    click.echo(f"adopted in {state.path}; what the run had scaled is not known any more")
    click.echo(f"go on with `runner resume {handle}`, or back with `runner rollback {handle}`")


def _read(given: dict[str, Any], stables: dict[str, str]) -> Loaded:
    return read_playbook(
        given["file"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        stables=stables,
        root=given["root"],
        namespace=given["namespace"],
    )


def _run_of(found: list[Marked]) -> str:
    """The one run that moved the routes."""
    runs = {item.marker.run for item in found}
    if len(runs) == 1:
        return runs.pop()
    if not runs:
        raise RunnerError(
            "no route of this playbook carries a marker: no run has moved it",
            hint="there is nothing to adopt; `runner play` begins a run",
        )
    raise UsageError(
        f"several runs have moved the routes of this playbook: {', '.join(sorted(runs))}",
        hint="take each back by its object: runner rollback --route VIRTUALSERVICE -n NAMESPACE",
    )


def _stables(loaded: Loaded, found: list[Marked]) -> dict[str, str]:
    """A stable subset that is not written had all the traffic in the safe split."""
    safe = {item.route.name: item.marker.safe for item in found if item.marker.safe is not None}
    return {name: next(iter(safe[name])) for name in loaded.unresolved if name in safe}
