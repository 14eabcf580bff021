"""`runner resume [RUN]`."""

from typing import Any

import click

from runner.cli import exposure, options
from runner.cli.playing import Session, carry_on
from runner.cli.recording import refuse_drift
from runner.cli.reopening import accepted, reopen, session_facts
from runner.cli.states import reach_of, state_of
from runner.cli.watching import Wishes
from runner.errors import UsageError
from runner.journal.finding import finished


@click.command("resume")
@click.argument("run", required=False)
@click.option("--until", metavar="STAGE", help="Stop after this stage; the run can be resumed again.")
@click.option(
    "--accept-drift",
    metavar="DIGEST",
    help="Go on although the playbook, or a live split, is not as recorded: the digest that was shown.",
)
@options.where
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Continue RUN, a run id or a state file; without it the newest unfinished run."""
    reach = reach_of(given)
    state = state_of(given["run"], reach, unfinished=given["run"] is None)
    record = state.read()
    if finished(record):
        raise UsageError(f"run {record.run} is finished", hint="play the playbook again for a new run")
    wishes = Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])
    with exposure.told(record):
        refuse_drift(record, given["accept_drift"])
        reopened = reopen(state, reach, wishes.speed)
    facts = session_facts(reopened)
    facts["first"] = (*facts["first"], *accepted(reopened, given["accept_drift"]))
    ctx.exit(carry_on(Session(**facts, until=given["until"]), wishes))
