"""`runner resume [RUN]`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from runner.cli import exposure, options
from runner.cli.playing import Session, carry_on
from runner.cli.recording import check_until, refuse_drift
from runner.cli.reopening import Reopened, accepted, reopen, session_facts
from runner.cli.states import reach_of, state_of
from runner.cli.watching import wishes_of
from runner.engine.coherence import contradiction
from runner.engine.events import StageSkipped, StageSucceeded
from runner.errors import DisagreementError, UsageError
from runner.journal import Record
from runner.journal.finding import finished, typed
from runner.stages.kinds import compile_playbook


@click.command("resume")
@options.run
@click.option("--until", metavar="STAGE", help="Stop after this stage; the run can be resumed again.")
@click.option(
    "--accept-drift",
    metavar="DIGEST",
    multiple=True,
    help="Go on although the playbook, or a live split, is not as recorded: the digest that was shown. Repeatable.",
)
@options.where
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Continue RUN, a run id or a state file; without it the newest unfinished run."""
    reach = reach_of(given)
    state = state_of(given["run"], reach, unfinished=given["run"] is None)
    record = state.read()
    _refuse_finished(record)
    options.refuse_elsewhere(ctx, sandbox=bool(record.started.target.get("sandbox")))
    wishes = wishes_of(given)
    with exposure.told(record):
        others = refuse_drift(record, given["accept_drift"])
        reopened = reopen(state, reach, wishes.speed)
        facts = _facts(reopened, others, given["until"])
    ctx.exit(carry_on(Session(**facts, until=given["until"]), wishes))


def _facts(reopened: Reopened, digests: Sequence[str], until: str | None) -> dict[str, Any]:
    """What the session begins with. The journal is closed where that is refused."""
    try:
        _refuse_finished(reopened.record)  # another process may have finished it while this one began
        _refuse_contradiction(reopened)
        _check_until(until, reopened)
        _refuse_forbidden(reopened)
        facts = session_facts(reopened)
        facts["first"] = (*facts["first"], *accepted(reopened, digests))
    except BaseException:
        reopened.journal.close()
        raise
    return facts


def _refuse_finished(record: Record) -> None:
    if finished(record):
        raise UsageError(f"run {record.run} is finished", hint="play the playbook again for a new run")


def _refuse_contradiction(reopened: Reopened) -> None:
    """The way back needs no more than a safe split; the way forward must know which stages were played."""
    record = reopened.record
    number = contradiction(compile_playbook(record.run, reopened.playbook), record.events)
    if number is not None:
        raise DisagreementError(
            f"{record.path}:{number}: the state file contradicts itself: it was not that stage's turn",
            hint=f"nothing was touched; go back instead: runner rollback {typed(record)}",
        )


def _refuse_forbidden(reopened: Reopened) -> None:
    """Whoever goes on with a run may be somebody else than who began it, with another credential."""
    if not reopened.place.target.get("sandbox"):
        from runner.cli.asking import heed_endings, refuse_forbidden

        done, playbook = _done(reopened), reopened.playbook
        left = tuple(stage for stage in playbook.stages if stage.name not in done)
        heed_endings(replace(playbook, stages=left), reopened.place)
        source = reopened.record.started.source
        refuse_forbidden(reopened.playbook, reopened.place, source, reopened.state)


def _done(reopened: Reopened) -> set[str]:
    """The stages that the run has behind it."""
    events = reopened.record.events
    return {event.stage for event in events if isinstance(event, StageSucceeded | StageSkipped)}


def _check_until(until: str | None, reopened: Reopened) -> None:
    """UsageError for a stage that is none, or that the run has behind it: it would be played to its end."""
    check_until(until, reopened.playbook)
    if until in _done(reopened):
        raise UsageError(
            f"the run is past {until!r}", hint=f"see where it stands: runner status {typed(reopened.record)}"
        )
