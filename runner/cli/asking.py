"""What `play` shows of a cluster before it touches it, and the question that follows."""

import os
import shlex
import sys

import click

from runner.bootstrap import Place
from runner.cli.states import ClusterState, State, needed_by
from runner.errors import RunnerError, UsageError
from runner.model.playbook import Playbook
from runner.reports.confirm import confirmation
from runner.reports.terminal import terminal_of
from runner.stages.kinds import needs
from runner.stages.meeting import meet


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


def _kept_at(state: State) -> str:
    return f" --state {shlex.quote(str(state.path))}" if isinstance(state, ClusterState) else ""


def confirm(playbook: Playbook, place: Place, *, yes: bool, context_given: bool) -> None:
    """Show where, what and how long; go on only with a person's yes, or with `-y`.

    UsageError without a terminal and without `-y`, or without a context that anybody named.
    """
    asked = sys.stdin.isatty() and not yes
    if not asked and not yes:
        raise UsageError(
            "confirmation is needed, but stdin is no terminal", hint="pass -y to play without asking"
        )
    if not asked and not context_given and playbook.target.context is None:
        raise UsageError(
            "nobody named the cluster that this is to play on",
            hint="pass --context NAME, or write `target: {context: NAME}` in the playbook",
        )
    found = {route.name: meet(place.cluster, route, "").split for route in playbook.routes}
    for line in confirmation(playbook, place.target, found, terminal_of(sys.stderr, os.environ)):
        click.echo(line, err=True)
    if asked and not click.confirm("Play it?", default=False, err=True):
        raise UsageError("not played", hint="nothing was touched")
