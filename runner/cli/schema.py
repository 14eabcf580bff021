"""`runner schema [KIND]`."""

import sys

import click

from runner.errors import UsageError

KINDS = ("playbook", "scenario", "config", "state", "plan", "rehearsal")


@click.command("schema")
@click.argument("kind", default="playbook", metavar="[KIND]")
def command(*, kind: str) -> None:
    """Print the JSON Schema of playbook (default), scenario or config: what editors check with.

    Also of what runner writes: state, plan (`plan -o json`) and rehearsal (`rehearse -o json`).
    """
    from runner.document.schema import schema_file
    from runner.document.suggest import did_you_mean

    if kind.lower() not in KINDS:
        hint = did_you_mean(kind.lower(), KINDS) or f"one of {', '.join(KINDS)}"
        raise UsageError(f'there is no schema "{kind}"', hint=hint)
    with open(schema_file(kind.lower()), encoding="utf-8") as stream:  # noqa: PTH123 - a path as text
        sys.stdout.write(stream.read())
