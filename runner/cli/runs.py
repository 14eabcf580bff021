"""`runner runs`."""

import json
import os
import sys
from pathlib import Path

import click

from runner import bootstrap
from runner.cli.recording import recorded_playbook
from runner.errors import RunnerError
from runner.journal import Record
from runner.journal.file import is_held
from runner.journal.finding import every_run, handle_of
from runner.reports.fold import opening, replay
from runner.reports.output import Output
from runner.reports.status import FORMAT, Shown, run_json, runs_table
from runner.reports.terminal import Tone, terminal_of
from runner.reports.view import RunView
from runner.reports.wording import one_line


@click.command("runs")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
def command(*, output: str, plain: bool) -> None:
    """List all runs of this folder, newest first, and those that hold traffic while nobody watches.

    Runs whose state lies in a cluster: kubectl get configmaps -A -l runner/state=first (NAME-0000 is NAME's).
    """
    listed = every_run()
    runs = [
        shown_of(item.path, item.record, living=is_held(item.path))
        for item in listed
        if item.record is not None
    ]
    damaged = [(item.path, item.trouble) for item in listed if item.record is None]
    out = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=plain))
    if output == "json":
        troubles = [{"path": str(path), "trouble": trouble} for path, trouble in damaged]
        body = {"v": FORMAT, "runs": [run_json(shown) for shown in runs], "damaged": troubles}
        out.write(json.dumps(body) + "\n")
    else:
        for line in runs_table(runs, bootstrap.real_clock().now(), out.terminal):
            out.line(line)
        for _, trouble in damaged:
            out.line(out.terminal.paint(f"damaged: {one_line(trouble)}", Tone.BAD))
    out.demand()


def shown_of(path: Path, record: Record, *, living: bool) -> Shown:
    """A run as reports show it; *living* where a process plays it now."""
    handle = handle_of(path, record.run)
    return Shown(_view(record, handle), living, handle)


def _view(record: Record, handle: str) -> RunView:
    """The fold of the record; without the playbook's own words where it can no longer be read."""
    try:
        begun = opening(record.run, recorded_playbook(record), handle=handle)
    except RunnerError:
        begun = opening(record.run, handle=handle)
    return replay(begun, record.events)
