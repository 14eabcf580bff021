"""`runner status [RUN]`."""

import json
import os
import shutil
import sys
from pathlib import Path

import click

from runner import bootstrap
from runner.cli.runs import shown_of
from runner.journal import read
from runner.journal.file import newest_first
from runner.journal.finding import FOLDER, find
from runner.reports.output import Output
from runner.reports.status import Shown, status_json, status_lines
from runner.reports.terminal import terminal_of

PACE = 1.0  # seconds between two looks


def _known_runs(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Run ids, for completion."""
    return [path.stem for path in newest_first(FOLDER) if path.stem.startswith(incomplete)]


@click.command("status")
@click.argument("run", required=False, shell_complete=_known_runs)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
@click.option("-w", "--watch", is_flag=True, help="Look again every second, while a process plays the run.")
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
def command(*, run: str | None, output: str, watch: bool, plain: bool) -> None:
    """Show where RUN stands, a run id or a state file; without it the newest run."""
    path = find(run)
    out = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=plain))
    if watch:
        _watch(path, out, output)
    else:
        _print(_look(path), out, output)
    out.demand()


def _look(path: Path) -> Shown:
    return shown_of(path, read(path))


def _print(shown: Shown, out: Output, output: str) -> None:
    if output == "json":
        out.write(json.dumps(status_json(shown)) + "\n")
        return
    width = out.terminal.width or shutil.get_terminal_size((110, 40)).columns
    for line in status_lines(shown, bootstrap.real_clock().now(), out.terminal, width=width):
        out.line(line)


def _watch(path: Path, out: Output, output: str) -> None:
    """On a terminal one picture; elsewhere every answer that differs from the one before."""
    if output == "text" and out.terminal.live:
        _watch_picture(path, out)
        return
    clock, said = bootstrap.real_clock(), None
    while True:
        shown = _look(path)
        if shown.view != said:
            _print(shown, out, output)
            said = shown.view
        if not shown.living or out.dropped:
            return
        clock.sleep_until(clock.now() + PACE)


def _watch_picture(path: Path, out: Output) -> None:
    from runner.reports.frame import Moment, frame
    from runner.reports.screen import Window

    clock, window = bootstrap.real_clock(), Window(out)
    try:
        while (shown := _look(path)).living:
            window.show(frame(shown.view, Moment(clock.now()), out.terminal, *window.size))
            clock.sleep_until(clock.now() + PACE)
    finally:
        window.close()
    _print(shown, out, "text")
