"""`runner validate PATH...`: safe on a hostile pull request; no socket, no process, no kubeconfig."""

import os
import sys
from typing import Any

import click

from runner.cli import options
from runner.document.validation import Validation, validate_many
from runner.errors import ExitCode, Severity
from runner.reports.diagnostics import FORMS, render, render_text, summary
from runner.reports.output import Output
from runner.reports.terminal import terminal_of


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
@click.option("--root", metavar="DIR", help="The folder that manifests may lie in; default the repository.")
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Find everything that is wrong in documents, offline.

    PATH is a document, or a folder with documents of runner. Errors exit 1, warnings alone 0.
    """
    validation = validate_many(
        given["paths"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        root=given["root"],
    )
    validation = _with_doubts(validation, given)
    _print(validation, given["output"], plain=given["plain"])
    ctx.exit(_code(validation, strict=given["strict"]))


def _with_doubts(validation: Validation, given: dict[str, Any]) -> Validation:
    """What the forecast warns of, behind what was found in the same file."""
    if not given["traffic"]:
        return validation
    from runner.document.doubts import doubts, rates

    traffic, found = rates(given["traffic"]), list(validation.found)
    for file in validation.files:
        found += doubts(
            file,
            traffic,
            variables=options.pairs(given["variables"]),
            variable_files=given["variable_files"],
            root=given["root"],
        )
    order = {file: n for n, file in enumerate(validation.files)}
    found.sort(
        key=lambda each: (order.get(each.location.file, len(order)), each.location.line, each.location.column)
    )
    return validation._replace(found=tuple(found))


def _print(validation: Validation, form: str, *, plain: bool) -> None:
    output = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=plain))
    if form != "text":
        output.write(render(form, validation.found, validation.files))
    else:
        output.write(output.terminal.spell(render_text(validation.found, output.terminal)))
        output.flush()
        click.echo(summary(validation.found, len(validation.files)), err=True)
    output.demand()


def _code(validation: Validation, *, strict: bool) -> ExitCode:
    wrong = strict or any(each.severity is Severity.ERROR for each in validation.found)
    return ExitCode.ERROR if wrong and validation.found else ExitCode.OK
