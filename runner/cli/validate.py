"""`runner validate PATH...`: safe on a hostile pull request; no socket, no process, no kubeconfig."""

from typing import Any

import click

from runner.cli import options
from runner.cli.validating import Asked, validate
from runner.reports.diagnostics import FORMS


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
@click.option("-o", "--output", type=click.Choice(FORMS), default="text", help="Form of the answer.")
@options.variables
@click.option(
    "--traffic",
    multiple=True,
    metavar="RATE|ROUTE=RATE",
    help="Also warn of gates that see too little with this traffic, such as 50/s.",
)
@options.root
@options.allow_secrets
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Find everything that is wrong in documents, offline.

    PATH is a document, or a folder with documents of runner. Errors exit 1, warnings alone 0.
    """
    asked = Asked(
        given["paths"],
        strict=given["strict"],
        form=given["output"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        traffic=given["traffic"],
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        plain=given["plain"],
    )
    ctx.exit(validate(asked))
