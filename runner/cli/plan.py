"""`runner plan FILE`: reads, asks for dry runs, and writes nothing but the file that `--out` names."""

import os
import shlex
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli import options
from runner.cli.asked import Asked, asked_of, digest, kept, prepared, scenario_of
from runner.document.doubts import rates
from runner.document.playbook import Loaded
from runner.errors import UsageError
from runner.model.playbook import Playbook
from runner.reports.output import Output
from runner.reports.terminal import terminal_of
from runner.review.plan import Guess, Plan, Site, make_plan

PLAYED = (
    "sandbox",
    "scenario",
    "seed",
    *options.REACH,
    "namespace",
    "variables",
    "variable_files",
    "root",
    "allow_secrets",
    "from_here",
)
"""Parameters that say what is planned, and mean the same to `play`."""


@click.command("plan")
@click.argument("file", type=click.Path())
@click.option("--sandbox", is_flag=True, help="Plan for the embedded world; no cluster is read.")
@click.option(
    "--scenario", metavar="FILE", help="The world of the sandbox before the run (implies --sandbox)."
)
@click.option("--seed", type=int, default=1, help="The sandbox's chance.")
@options.where
@options.reading
@click.option(
    "--from-here", is_flag=True, help="Accept a live split half way; the safe split is 100 % stable."
)
@click.option(
    "--traffic",
    multiple=True,
    metavar="RATE|ROUTE=RATE",
    help="Requests that reach a route, for the forecast, such as 50/s; default what Prometheus says, else 20/s.",
)
@click.option(
    "--base",
    type=options.FiniteRange(0, 1, max_open=True),
    help="The share of stable's requests that fails, for the forecast; default 0.001.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    help="Form of the plan.",
)
@click.option("--out", metavar="FILE", help="Also write the plan to a file, for `runner play --plan`.")
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Show what a run of FILE would do to the live cluster, without changing anything.

    Exits with the code that the run would stop with: 7 where it may not start, 1 where something is refused.
    """
    asked = asked_of(given)
    options.refuse_elsewhere(ctx, sandbox=asked.sandbox)
    traffic = rates(given["traffic"])
    loaded, place = prepared(asked, lambda loaded: _place(asked, loaded))
    if not asked.sandbox:
        from runner.cli.asking import heed_endings

        heed_endings(loaded.playbook, place)
    plan = make_plan(
        loaded.playbook,
        _site(place, loaded.playbook),
        _guess(traffic, loaded.playbook, given["base"]),
        accept_live=asked.from_here,
    )
    document = _document(plan, asked, place, loaded)
    _print(plan, document, given, _play_line(ctx))
    if given["out"]:
        from runner.cli.plan_file import write_plan

        write_plan(given["out"], document)
    ctx.exit(plan.code)


def _place(asked: Asked, loaded: Loaded) -> Place:
    if asked.sandbox:
        return bootstrap.sandbox_to_read(loaded.playbook, scenario_of(asked), seed=asked.seed)
    clock, say = bootstrap.real_clock(), partial(click.echo, err=True)
    return bootstrap.on_cluster(asked.reach, loaded.playbook, bootstrap.new_run(), clock, say)


def _site(place: Place, playbook: Playbook) -> Site:
    from runner.stages.kinds import needs

    missing = place.missing(needs(playbook))
    now = place.clock.now()
    return Site(place.cluster, place.metrics, now, place.target, tuple(missing), place.notes)


def _guess(traffic: Mapping[str | None, float], playbook: Playbook, base: float | None) -> Guess:
    """UsageError for a route that the playbook does not have."""
    names = [route.name for route in playbook.routes]
    for name in traffic:
        if name is not None and name not in names:
            raise UsageError(f"--traffic names no route: {name!r}", hint=f"routes are: {', '.join(names)}")
    said = {name: traffic.get(name, traffic.get(None)) for name in names}
    return Guess({name: rate for name, rate in said.items() if rate is not None}, base)


def _document(plan: Plan, asked: Asked, place: Place, loaded: Loaded) -> str:
    from runner.review.plan_document import render_json

    return render_json(plan, kept(asked, place), digest(loaded))


def _print(plan: Plan, document: str, given: Mapping[str, Any], play: str) -> None:
    from runner.review.plan_text import render_markdown, render_text

    output = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=given["plain"]))
    match given["output"]:
        case "json":
            output.write(document)
        case "markdown":
            output.write(render_markdown(plan, play=play))
        case _:
            output.write(render_text(plan, output.terminal, play=play))
    output.close()


def _play_line(ctx: click.Context) -> str:
    """What to type next: it plays what was planned, and where it was planned."""
    given = ctx.params
    if given["out"]:
        return f"runner play --plan {shlex.quote(given['out'])}"
    return f"runner play {shlex.quote(given['file'])}{options.repeated(ctx, PLAYED)}"
