# ruff: noqa: INP001 - a script beside the picture that it draws
"""Draws play.svg: the live screen in the middle of the Bookinfo canary, from a real play in the sandbox.

`python docs/images/draw.py`; the same seed and the same start give the same picture.
"""

import re
import sys
import tempfile
from collections import deque
from dataclasses import replace
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from runner import bootstrap
from runner.conductor import Conductor, World
from runner.document import read_playbook
from runner.engine.events import Event, RunStarted
from runner.engine.observations import Observation
from runner.engine.state import begin
from runner.journal import JournalFile
from runner.model.playbook import Playbook
from runner.reports.fold import fold, opening
from runner.reports.frame import Moment, frame
from runner.reports.lines import compact, line_of
from runner.reports.rows import Row
from runner.reports.screen import Picture, Served
from runner.reports.terminal import Terminal
from runner.stages.kinds import compile_playbook

HERE = Path(__file__).parent
PLAYBOOK = HERE.parents[1] / "playbooks" / "bookinfo-canary.yaml"
START = 1_795_358_849.0  # 2026-11-22 14:47:29 UTC
AT = START + 248.0  # the soak at 50, five eighths of it gone
WIDTH, HEIGHT, RUN = 110, 30, "7f3a2c"
LIGHT_ON_DARK = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        (72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34),
        (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196),
    ],
)  # fmt: skip


class Taken(Exception):  # noqa: N818 - it is good news
    """The picture is taken; the play may stop."""


class Photographer:
    """A listener that keeps one picture."""

    def __init__(self, playbook: Playbook, served: Served) -> None:
        self.view = opening(RUN, playbook)
        self.recent: deque[str] = deque(maxlen=3)
        self.rows: list[Row] = []
        self.terminal = Terminal(live=True, color=True)
        self._served = served

    def heard(self, event: Event, line: str) -> None:
        """Fold, and remember the line."""
        del line
        before, self.view = self.view, fold(self.view, event)
        said = line_of(before, self.view, event, self.terminal)
        if said is not None:
            self.recent.append(compact(self.view, said, self.terminal))

    def noticed(self, observation: Observation) -> None:
        """Nothing to see."""

    def tick(self, now: float) -> None:
        """Wait for the moment."""
        if now < AT:
            return
        moment = Moment(now, recent=tuple(self.recent), speed=30)
        view = replace(self.view, served=self._served(now - 60, now))
        self.rows = frame(view, moment, self.terminal, WIDTH, HEIGHT)
        raise Taken


class NoOrders:
    """Nobody interferes."""

    def poll(self) -> tuple[()]:
        """Nothing."""
        return ()


def photograph(folder: Path) -> list[Row]:
    """Play until the moment has come."""
    loaded = read_playbook(str(PLAYBOOK))
    place = bootstrap.in_sandbox(loaded.playbook, None, folder / "world", start=START, seed=1, speed=None)
    started = RunStarted(START, loaded.tree, {}, {}, place.target, "", seed=1, source=str(PLAYBOOK))
    journal, line = JournalFile.create(folder / "run.jsonl", RUN, started)
    photographer = Photographer(loaded.playbook, place.served or (lambda _since, _until: {}))
    photographer.heard(started, line)
    listeners = (*place.listeners, photographer)
    world = World(place.cluster, place.metrics, place.clock, journal, NoOrders(), place.lease, listeners)
    try:
        Conductor(begin(compile_playbook(RUN, loaded.playbook)), world).play()
    except Taken:
        return photographer.rows
    finally:
        journal.close()
    raise SystemExit("the play ended before the moment of the picture")


def svg(rows: list[Row]) -> str:
    """The picture as rich exports it, without the fonts that it would fetch."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Picture(rows))
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    title = "runner play playbooks/bookinfo-canary.yaml --sandbox --speed 30"
    return console.export_svg(title=title, theme=LIGHT_ON_DARK, code_format=plain, unique_id="play")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        drawn = svg(photograph(Path(folder)))
    (HERE / "play.svg").write_text(drawn, encoding="utf-8")
    sys.stdout.write(f"wrote {HERE / 'play.svg'}\n")
