"""`runner rehearse FILE`."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from runner import bootstrap
from runner.cli import options
from runner.document import Loaded, read_playbook, read_scenario
from runner.errors import ExitCode, UsageError
from runner.model.scenario import Scenario
from runner.rehearsal import Rehearsal, rehearse, render_json, render_markdown, render_text
from runner.rehearsal.worlds import HEALTHY
from runner.stages.meeting import stable_of

FORMS: Mapping[str, Callable[[Rehearsal], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "json": render_json,
}


@click.command("rehearse")
@click.argument("file", type=click.Path())
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="FILE",
    help="Also play this world, and hold its `expect:`; the first one's `given:` is the world of all plays.",
)
@click.option("--seed", type=int, default=1, help="The worlds' chance.")
@click.option(
    "--base",
    type=options.FiniteRange(0, 1, max_open=True),
    help="The share of stable's requests that fails, for the forecast; default 0.001.",
)
@options.reading
@click.option(
    "-o", "--output", type=click.Choice(list(FORMS)), default="text", help="Form of what was found."
)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Play FILE in virtual time, and prove that every gate passes in health and can say no.

    Exits 1 where a gate cannot, an expectation of a scenario was not met, or a promise was broken.
    """
    scenarios = [read_scenario(file) for file in given["scenarios"]]
    loaded = _loaded(given, scenarios)
    found = rehearse(loaded.playbook, scenarios, bootstrap.rehearsing(given["seed"]), base=given["base"])
    sys.stdout.write(FORMS[given["output"]](found))
    ctx.exit(ExitCode.ERROR if found.problems else ExitCode.OK)


def _loaded(given: Mapping[str, Any], scenarios: list[Scenario]) -> Loaded:
    """The playbook; a stable subset that is not written is found in the world, as a run finds it live."""
    loaded = _read(given, {})
    if not loaded.unresolved:
        return loaded
    place = bootstrap.rehearsing(given["seed"])(loaded.playbook, scenarios[0] if scenarios else HEALTHY)
    stables = {}
    for name in loaded.unresolved:
        stable = stable_of(place.cluster, loaded.playbook.route(name))
        if stable is None:
            raise UsageError(
                f"route {name!r} names no stable subset, and none has all the traffic of the rehearsed world",
                hint=f"write routes: {{{name}: {{stable: NAME}}}}, or a scenario's given: {{split: ...}}",
            )
        stables[name] = stable
    return _read(given, stables)


def _read(given: Mapping[str, Any], stables: dict[str, str]) -> Loaded:
    return read_playbook(
        given["file"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        stables=stables,
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        namespace=given["namespace"],
    )
