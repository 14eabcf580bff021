"""The file that `plan --out` writes and `play --plan` reads: the plan as JSON, 0600."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from runner import private
from runner.bootstrap import Place
from runner.cli.asked import digest
from runner.document.playbook import Loaded
from runner.errors import DisagreementError, RunnerError, UsageError
from runner.foreign import json_of

PLANNED = (
    "file",
    "variables",
    "variable_files",
    "namespace",
    "root",
    "allow_secrets",
    "sandbox",
    "scenario",
    "seed",
    "from_here",
)
"""Parameters of `play` that a plan has decided."""


def write_plan(path: str, text: str) -> None:
    """Write the plan whole or not at all. RunnerError when it cannot be written."""
    target, draft = Path(path), Path(f"{path}.part")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private.FILE), "w") as stream:
            stream.write(text)
        draft.replace(target)
    except OSError as error:
        raise RunnerError(f"the plan cannot be written to {path}: {error.strerror}") from error


def read_plan(path: str, ctx: click.Context) -> Mapping[str, Any]:
    """The plan in *path*. UsageError where it is none, says that the run would stop, or decides what *ctx* says."""
    for name in PLANNED:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{_spelled(name)} is part of the plan already", hint="leave it out beside --plan"
            )
    kept = _parsed(path)
    if kept["exitCode"]:
        raise UsageError(
            f"{path} says that the run would stop: exit {kept['exitCode']}",
            hint="make a new plan: runner plan",
        )
    return kept


def refuse_outdated(kept: Mapping[str, Any], path: str, loaded: Loaded, place: Place) -> None:
    """DisagreementError where the playbook or the world is no longer what the plan was made for."""
    from runner.review.outdated import outdated

    moved = outdated(kept, digest(loaded), place.target, place.cluster)
    if moved:
        lines = "\n".join(f"  {line}" for line in moved)
        hint = "look at what it would do now: make the plan anew with `runner plan`"
        raise DisagreementError(f"{path} is outdated:\n{lines}", hint=hint)


def _spelled(name: str) -> str:
    return {"file": "FILE", "variables": "--var", "variable_files": "--vars-file"}.get(
        name, f"--{name.replace('_', '-')}"
    )


def _parsed(path: str) -> dict[str, Any]:
    from jsonschema import Draft7Validator

    from runner.document.schema import published

    try:
        found = json_of(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _no_plan(path, "it is no JSON") from error
    wrong = next(Draft7Validator(published("plan")).iter_errors(found), None)
    if wrong is not None:
        raise _no_plan(path, f"at {wrong.json_path}: {wrong.message[:120]}")
    return dict(found)


def _no_plan(path: str, why: str) -> UsageError:
    return UsageError(f"{path} is no plan: {why}", hint="runner plan FILE --out PLAN writes one")
