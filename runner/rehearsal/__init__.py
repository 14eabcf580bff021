"""Plays a playbook in worlds where nothing is wrong, and in worlds where something is.

Rule 1: a fault is put into the world, never into an answer. Rule 2: the engine, the stages and the judge that
play here are those of a real run. Rule 3: the same playbook and scenarios give the same bytes.
"""

from runner.rehearsal.document import as_document, render_json
from runner.rehearsal.place import REHEARSED_AT, Open, Place
from runner.rehearsal.rehearse import Rehearsal, rehearse
from runner.rehearsal.text import render_markdown, render_text

__all__ = [
    "REHEARSED_AT",
    "Open",
    "Place",
    "Rehearsal",
    "as_document",
    "rehearse",
    "render_json",
    "render_markdown",
    "render_text",
]
