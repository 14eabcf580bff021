"""How an error is told: what was found and expected, then the one thing to try."""

import os
import sys
from textwrap import dedent
from typing import TextIO

from runner.errors import RunnerError
from runner.reports.escape import escape_lines
from runner.reports.output import Output
from runner.reports.terminal import Terminal, Tone, terminal_of


def tell(error: RunnerError, stream: TextIO | None = None) -> None:
    """Print *error* to *stream*, standard error unless given; what cannot be printed is let go."""
    stream = stream or sys.stderr
    output = Output(stream, terminal_of(stream, os.environ))
    for line in error_lines(error, output.terminal):
        output.line(line)


def error_lines(error: RunnerError, terminal: Terminal) -> list[str]:
    """`error:` and `hint:`, further lines of either set in below their first, as they stand among themselves."""
    said = _labelled("error", error.message, terminal, Tone.BAD)
    return said + (_labelled("hint", error.hint, terminal, Tone.NOW) if error.hint else [])


def _labelled(label: str, text: str, terminal: Terminal, tone: Tone) -> list[str]:
    first, _, more = escape_lines(text).rstrip().partition("\n")
    below = (f"  {line}".rstrip() for line in dedent(more).splitlines())
    return [f"{terminal.paint(f'{label}:', tone)} {first}", *below]
