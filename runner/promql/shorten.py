"""Windows cut so that a query reads nothing older than it may."""

import re

import durationpy

TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|\[\s*(?P<window>[0-9a-z]+)\s*(?P<step>:[^\]]*)?\]""",
    re.VERBOSE,
)


def shorten(expression: str, longest: float) -> str:
    """*expression* with every range window, or subquery, of more than *longest* seconds cut to it.

    A window never becomes shorter than one second; offsets stay.
    """

    def cut(found: re.Match[str]) -> str:
        window = found["window"]
        if window is None or _seconds(window) <= longest:
            return found[0]
        return f"[{max(round(longest * 1000), 1000)}ms{found['step'] or ''}]"

    return TOKEN.sub(cut, expression)


def _seconds(window: str) -> float:
    """A PromQL duration; what is none is left for the parser to refuse."""
    try:
        return float(durationpy.from_str(window).total_seconds())
    except durationpy.DurationError:
        return 0.0
