"""What `runner validate` does, without the library that reads its arguments."""

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from runner.document.validation import Validation, validate_many
from runner.errors import ExitCode, Severity
from runner.reports.diagnostics import render, render_text, summary
from runner.reports.output import Output
from runner.reports.terminal import terminal_of


class Asked(NamedTuple):
    """The command line; *plain* is `--ascii`."""

    paths: tuple[str, ...]
    strict: bool = False
    form: str = "text"
    variables: Mapping[str, str] = MappingProxyType({})
    variable_files: tuple[str, ...] = ()
    traffic: tuple[str, ...] = ()
    root: str | None = None
    allow_secrets: bool = False
    plain: bool = False


def validate(asked: Asked) -> ExitCode:
    """Print everything that is wrong in the documents. UsageError."""
    validation = validate_many(
        asked.paths,
        variables=asked.variables,
        variable_files=asked.variable_files,
        root=asked.root,
        allow_secrets=asked.allow_secrets,
    )
    if asked.traffic:
        validation = _with_doubts(validation, asked)
    _print(validation, asked)
    wrong = asked.strict or any(each.severity is Severity.ERROR for each in validation.found)
    return ExitCode.ERROR if wrong and validation.found else ExitCode.OK


def _with_doubts(validation: Validation, asked: Asked) -> Validation:
    """What the forecast warns of, behind what was found in the same file."""
    from runner.document.doubts import doubts, rates, refuse_unknown_routes

    traffic, found = rates(asked.traffic), list(validation.found)
    if not any(each.severity is Severity.ERROR for each in found):
        refuse_unknown_routes(validation.files, traffic, asked.root)
    for file in validation.files:
        found += doubts(
            file, traffic, variables=asked.variables, variable_files=asked.variable_files, root=asked.root
        )
    order = {file: n for n, file in enumerate(validation.files)}
    found.sort(
        key=lambda each: (order.get(each.location.file, len(order)), each.location.line, each.location.column)
    )
    return validation._replace(found=tuple(found))


def _print(validation: Validation, asked: Asked) -> None:
    output = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=asked.plain))
    if asked.form != "text":
        output.write(render(asked.form, validation.found, validation.files))
    else:
        output.write(output.terminal.spell(render_text(validation.found, output.terminal)))
        output.flush()
        sys.stderr.write(summary(validation.found, len(validation.files)) + "\n")
    output.demand()
