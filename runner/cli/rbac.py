"""`runner rbac FILE`."""

from typing import Any

import click
import yaml

from runner.cli import options
from runner.document.playbook import read_playbook
from runner.reports.roles import roles
from runner.stages.kinds import needs


@click.command("rbac")
@click.argument("file", type=click.Path())
@options.variables
@click.option("-n", "--namespace", metavar="NAME", help="Replaces the playbook's target.namespace.")
def command(file: str, **given: Any) -> None:
    """Print the least Role that lets FILE, and its rollback, be played."""
    loaded = read_playbook(
        file,
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        namespace=given["namespace"],
        examples=True,
    )
    found = roles(loaded.playbook.name, needs(loaded.playbook))
    click.echo("---\n".join(yaml.safe_dump(role, sort_keys=False) for role in found), nl=False)
