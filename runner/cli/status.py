"""`runner status [RUN]`."""

import json
import os
import shutil
import sys
from typing import Any

import click

from runner import bootstrap
from runner.cli import options
from runner.cli.runs import shown_of
from runner.cli.states import State, reach_of, state_of
from runner.reports.output import Output
from runner.reports.status import Shown, status_json, status_lines
from runner.reports.terminal import terminal_of

PACE = 1.0  # seconds between two looks


@click.command("status")
@options.run
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
@click.option("-w", "--watch", is_flag=True, help="Look again every second, while a process plays the run.")
@click.option("--ascii", "plain", is_flag=True, help="ASCII characters only.")
@options.cluster
def command(*, run: str | None, output: str, watch: bool, plain: bool, **given: Any) -> None:
    """Show where RUN stands, a run id or a state file; without it the newest run."""
    state = state_of(run, reach_of(given))
    out = Output(sys.stdout, terminal_of(sys.stdout, os.environ, plain=plain))
    if watch:
        _watch(state, out, output)
    else:
        _print(_look(state), out, output)
    out.demand()


def _look(state: State) -> Shown:
    return shown_of(state.path, state.read(), living=state.is_played())


def _print(shown: Shown, out: Output, output: str) -> None:
    if output == "json":
        out.write(json.dumps(status_json(shown)) + "\n")
        return
    width = out.terminal.width or shutil.get_terminal_size((110, 40)).columns
    for line in status_lines(shown, bootstrap.real_clock().now(), out.terminal, width=width):
        out.line(line)


def _watch(state: State, out: Output, output: str) -> None:
    """On a terminal one picture; elsewhere every answer that differs from the one before."""
    if output == "text" and out.terminal.live:
        _watch_picture(state, out)
        return
    clock, said = bootstrap.real_clock(), None
    while True:
        shown = _look(state)
        if shown.view != said:
            _print(shown, out, output)
            said = shown.view
        if not shown.living or out.dropped:
            return
        clock.sleep_until(clock.now() + PACE)


def _watch_picture(state: State, out: Output) -> None:
    from runner.reports.frame import Moment, frame
    from runner.reports.screen import Window

    clock, window = bootstrap.real_clock(), Window(out)
    try:
        while (shown := _look(state)).living:
            window.show(frame(shown.view, Moment(clock.now()), out.terminal, *window.size))
            clock.sleep_until(clock.now() + PACE)
    finally:
        window.close()
    _print(shown, out, "text")
