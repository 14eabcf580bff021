"""`runner play FILE`."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli import exposure, options
from runner.cli.asked import Asked, as_kept, asked_of, prepared, scenario_of
from runner.cli.plan_file import read_plan, refuse_outdated
from runner.cli.playing import Session, carry_on
from runner.cli.recording import check_until, first_event
from runner.cli.states import (
    ClusterState,
    Kept,
    State,
    existing,
    reach_of,
    refuse_existing,
    refuse_exposed_secrets,
    state_at,
)
from runner.cli.watching import Wishes, refuse_unwritable_log, wishes_of
from runner.document.playbook import Loaded
from runner.engine.events import RunStarted
from runner.errors import UsageError
from runner.journal.finding import path_of
from runner.journal.parts import ConfigMapName, place_of
from runner.stages.meeting import refuse_half_way


@click.command("play")
@click.argument("file", required=False, type=click.Path())
@click.option(
    "--sandbox", is_flag=True, help="Play in an embedded world, in virtual time; no cluster is touched."
)
@click.option("--scenario", metavar="FILE", help="What goes wrong in the sandbox (implies --sandbox).")
@click.option("--seed", type=int, default=1, help="The sandbox's chance.")
@options.where
@options.reading
@click.option(
    "--plan", "plan", metavar="FILE", help="Play what this plan was made for, if nothing has moved since."
)
@click.option(
    "--state",
    "state",
    metavar="FILE|configmap:NS/NAME",
    help="Where the run is recorded; default .runner/runs/RUN.jsonl, in CI on a cluster a ConfigMap.",
)
@click.option("--until", metavar="STAGE", help="Stop after this stage; the run can be resumed.")
@click.option(
    "--from-here", is_flag=True, help="Accept a live split half way; the safe split is 100 % stable."
)
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Run the playbook FILE, in the sandbox or on a cluster."""
    kept = read_plan(given["plan"], ctx) if given["plan"] else None
    asked = asked_of(given) if kept is None else as_kept(kept["asked"], reach_of(given))
    options.refuse_elsewhere(ctx, sandbox=asked.sandbox)
    run = bootstrap.new_run()
    state = _named_state(given["state"], asked, run)
    if (there := existing(state)) is not None:
        with exposure.told(there, state.is_played):
            refuse_existing(state, asked.file)
    wishes = wishes_of(given)
    refuse_unwritable_log(wishes)
    with ExitStack() as begun:
        loaded, place = prepared(asked, lambda loaded: _place(asked, loaded, run, state, wishes, begun))
        check_until(given["until"], loaded.playbook)
        if kept is not None:
            refuse_outdated(kept, given["plan"], loaded, place)
        state = _lasting_state(state, given, asked, place, run)
        refuse_exposed_secrets(state, loaded)
        if not asked.sandbox:
            from runner.cli.asking import confirm, heed_endings, refuse_forbidden

            heed_endings(loaded.playbook, place)
            refuse_forbidden(loaded.playbook, place, asked.file, state)
            confirm(loaded.playbook, place, yes=wishes.yes, context_given=asked.reach.context is not None)
        journal, first, line = _begun(state, asked, loaded, place, run)
    if isinstance(state, ClusterState):
        click.echo(f"state: {state.place}", err=True)
    session = Session(
        loaded.playbook,
        place,
        journal,
        state,
        past=(first,),
        fresh=((first, line),),
        until=given["until"],
        accept_live=asked.from_here,
    )
    ctx.exit(carry_on(session, wishes))


@contextmanager
def _no_litter(world: Path, state: State) -> Iterator[None]:
    """A run that does not begin leaves neither a world nor a lock behind."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            world.unlink()
        state.disclaim()
        raise


def _begun(
    state: State, asked: Asked, loaded: Loaded, place: Place, run: str
) -> tuple[Kept, RunStarted, str]:
    """The state with its first line; whoever holds the routes, or has left one half way, is met before there is one.

    Who lives is named first: what a route looks like in the middle of a living run is that run's business.
    """
    root = str(Path(asked.root).resolve()) if asked.root else None
    scenario = str(Path(asked.scenario).resolve()) if asked.scenario else None
    replaced = {"namespace": asked.namespace, "root": root, "scenario": scenario}
    seed = asked.seed if asked.sandbox else None
    place.acquire(loaded.playbook)
    try:
        if not asked.from_here:
            refuse_half_way(place.cluster, loaded.playbook, run)
        first = first_event(loaded, place, asked.file, asked.scenario, seed, replaced)
        journal, line = state.create(run, first)
    except BaseException:
        place.lease.release()
        raise
    return journal, first, line


def _named_state(text: str | None, asked: Asked, run: str) -> State:
    """The state that is asked for; without a word a file of this folder."""
    if text is not None and asked.sandbox and place_of(text) is not None:
        raise UsageError(f"the sandbox keeps no state in {text}", hint="leave --state out, or name a file")
    return state_at(text or str(path_of(run)), asked.reach)


def _lasting_state(state: State, given: Any, asked: Asked, place: Place, run: str) -> State:
    """In a CI job a file would be gone with the job: the state goes to the cluster, unless it was said where."""
    if given["state"] or asked.sandbox or "CI" not in os.environ or sys.stdin.isatty():
        return state
    namespace = place.target["namespace"]
    return ClusterState(
        ConfigMapName(namespace, f"runner-{run}"), place.cluster, place.clock, options.reaching()
    )


def _place(asked: Asked, loaded: Loaded, run: str, state: State, wishes: Wishes, begun: ExitStack) -> Place:
    clock = bootstrap.real_clock()
    if not asked.sandbox:
        return bootstrap.on_cluster(asked.reach, loaded.playbook, run, clock, partial(click.echo, err=True))
    log, scenario = Path(f"{state.path}.world"), scenario_of(asked)
    state.claim()  # whoever was faster has a world there by now
    refuse_existing(state, asked.file)
    begun.enter_context(_no_litter(log, state))
    return bootstrap.in_sandbox(
        loaded.playbook, scenario, log, start=clock.now(), seed=asked.seed, speed=wishes.speed
    )
