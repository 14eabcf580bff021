"""`runner rbac FILE`."""

from typing import Any

import click
import yaml

from runner.cli import options
from runner.cli.states import needed_at
from runner.document.playbook import read_playbook
from runner.errors import UsageError
from runner.journal.parts import place_of
from runner.reports.roles import roles
from runner.stages.kinds import needs


@click.command("rbac")
@click.argument("file", type=click.Path())
@options.reading
@click.option("--state", metavar="configmap:NS/NAME", help="Also what keeping the state there takes.")
def command(file: str, *, state: str | None, **given: Any) -> None:
    """Print the least Role that lets FILE, and its rollback, be played."""
    loaded = read_playbook(
        file,
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        namespace=given["namespace"],
        examples=True,
    )
    place = place_of(state) if state else None
    if state and place is None:
        raise UsageError(f"--state {state} takes no permission: it is a file", hint="leave it out")
    kept = needed_at(place) if place is not None else ()
    found = roles(loaded.playbook.name, (*needs(loaded.playbook), *kept))
    click.echo("---\n".join(yaml.safe_dump(role, sort_keys=False) for role in found), nl=False)
