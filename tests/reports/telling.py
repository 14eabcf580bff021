"""Plays stories to listeners."""

from io import StringIO
from typing import get_args

from runner.engine.events import Event
from runner.reports.fold import fold, opening
from runner.reports.narrator import Narrator
from runner.reports.output import Output
from runner.reports.summary import last_words
from runner.reports.terminal import Terminal
from runner.reports.view import RunView
from tests.reports.bookinfo import playbook
from tests.reports.stories import NOON, story

RUN = "7f3a"


def tell(listener, name: str, *, until: float = float("inf")) -> None:
    """Everything of a story up to *until* seconds after noon."""
    for item in story(name):
        at = item if isinstance(item, float) else getattr(item, "at", 0.0)
        if at - NOON > until:
            return
        if isinstance(item, float):
            listener.tick(item)
        elif isinstance(item, get_args(Event)):
            listener.heard(item, "")
        else:
            listener.noticed(item)


def narrated(name: str, terminal: Terminal | None = None) -> str:
    """All lines of a story, then its last words."""
    stream = StringIO()
    output = Output(stream, terminal or Terminal())
    narrator = Narrator(opening(RUN, playbook()), output)
    tell(narrator, name)
    narrator.close()
    for line in ("", *last_words(narrator.view, output.terminal)):
        output.line(line)
    return stream.getvalue()


def view_of(name: str, *, until: float = float("inf")) -> RunView:
    """The fold of a story's events."""
    view = opening(RUN, playbook())
    for item in story(name):
        if isinstance(item, get_args(Event)) and item.at - NOON <= until:
            view = fold(view, item)
    return view
