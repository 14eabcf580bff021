"""`runner audit [RUN]`."""

import sys
from typing import Any

import click

from runner.audit import audit, render_json, render_text
from runner.cli import options
from runner.cli.recording import recorded_playbook
from runner.cli.states import reach_of, state_of
from runner.errors import ExitCode
from runner.reports.escape import escape_lines
from runner.stages.kinds import compile_playbook


@click.command("audit")
@options.run
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
@options.cluster
@click.pass_context
def command(ctx: click.Context, /, *, run: str | None, output: str, **given: Any) -> None:
    """Derive every verdict of RUN again, from its state file alone; without RUN, of the newest run.

    Exits 1 where a recorded verdict does not follow from the evidence that was kept.
    """
    record = state_of(run, reach_of(given)).read()
    found = audit(compile_playbook(record.run, recorded_playbook(record)), record.events)
    sys.stdout.write(render_json(found) if output == "json" else escape_lines(render_text(found)))
    ctx.exit(ExitCode.ERROR if found.disagreements else ExitCode.OK)
