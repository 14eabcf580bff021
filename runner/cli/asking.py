"""What `play` shows of a cluster before it touches it, and the question that follows."""

import os
import shlex
import sys
from datetime import UTC, datetime

import click

from runner.bootstrap import Place
from runner.cli.consent import ask, is_asked
from runner.cli.states import ClusterState, State, needed_by
from runner.engine.lengths import length
from runner.engine.timeline import outlived
from runner.errors import RunnerError, UsageError
from runner.model.playbook import Playbook
from runner.ports import Ending
from runner.reports.confirm import confirmation
from runner.reports.terminal import terminal_of
from runner.reports.wording import one_line
from runner.stages.kinds import needs
from runner.stages.meeting import meet

SOON = 10.0  # seconds in which nothing worth while can be done


def refuse_forbidden(playbook: Playbook, place: Place, file: str, state: State) -> None:
    """RunnerError before the first effect, where the run or its rollback would meet a 403 on the way."""
    missing = place.missing((*needs(playbook), *needed_by(state)))
    if missing:
        lines = "\n".join(f"  {permission}" for permission in missing)
        raise RunnerError(
            f"{place.target.get('user')} on {place.target.get('context')} may not do what this run, or its rollback,"
            f" needs:\n{lines}",
            hint=f"`runner rbac {shlex.quote(file)}{_kept_at(state)}` prints the least Role that allows it",
        )


def heed_endings(playbook: Playbook, place: Place) -> None:
    """Say which credentials end before the run does. RunnerError for one that ends before it could begin."""
    now = place.clock.now()
    for ending in place.endings():
        if ending.renewed is None and ending.at <= now + SOON:
            raise RunnerError(
                f"{ending.what} {_ends(ending, now)}",
                hint="log in again and repeat the command: it has touched nothing",
            )
        if (warning := _warning(ending, playbook, now)) is not None:
            click.echo(one_line(warning), err=True)


def _warning(ending: Ending, playbook: Playbook, now: float) -> str | None:
    """What *ending* means for a run that goes well, or for one that takes as long as it may."""
    surely, maybe = outlived(playbook, ending.at - now), outlived(playbook, ending.at - now, worst=True)
    if maybe is None:
        return None
    said = f"{ending.what} {_ends(ending, now)}"
    if ending.renewed:
        return f"note: {said}; {ending.renewed} gives a new one then"
    if surely is None:
        return f"note: {said}; the run ends before that unless it has to wait, as in stage {maybe!r}"
    return (
        f"warning: {said}, in the middle of stage {surely!r}: from then on nothing can be asked or written, and traffic"
        " stays where it is. Begin with a credential that lasts, or log in again when the run stops, and resume it"
    )


def _ends(ending: Ending, now: float) -> str:
    at = datetime.fromtimestamp(ending.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"ends in {length(ending.at - now)}, at {at}" if ending.at > now else f"ended at {at}"


def _kept_at(state: State) -> str:
    return f" --state {state.place}" if isinstance(state, ClusterState) else ""


def confirm(playbook: Playbook, place: Place, *, yes: bool, context_given: bool) -> None:
    """Show where, what and how long; go on only with a person's yes, or with `-y`.

    UsageError without a terminal and without `-y`, or without a context that anybody named.
    """
    asked = is_asked(yes=yes, to="play")
    if not asked and not context_given and playbook.target.context is None:
        raise UsageError(
            "nobody named the cluster that this is to play on",
            hint="pass --context NAME, or write `target: {context: NAME}` in the playbook",
        )
    found = {route.name: meet(place.cluster, route, "").split for route in playbook.routes}
    for line in confirmation(playbook, place.target, found, terminal_of(sys.stderr, os.environ)):
        click.echo(line, err=True)
    if asked:
        ask("Play it?", "not played")
