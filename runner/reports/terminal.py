"""What the other end of a stream can show, decided once from what is handed in."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TextIO

from runner.secrecy import hide

_ASCII = str.maketrans(
    dict(zip("✔✖◐○⏸↷↺⚠●·█▓░▁▂▃▄▅▆▇", "+x>.=-<!*|#%._,:-=+*", strict=True))
    | {
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "\N{EN DASH}": "-",
        "…": "...",
        "─": "-",
        "\N{MULTIPLICATION SIGN}": "x",
    }
)


class Tone(StrEnum):
    """What a piece of text is like; never the only sign, since colour may be missing."""

    PLAIN = ""
    GOOD = "32"
    BAD = "1;31"
    WARN = "33"
    DIM = "2"
    NOW = "1;36"
    STRONG = "1"


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to write; *live* allows a screen that redraws, *zone* None is the machine's own."""

    live: bool = False
    color: bool = False
    ascii: bool = False
    width: int | None = None
    zone: tzinfo | None = UTC
    github: bool = False

    def spell(self, text: str) -> str:
        """*text* in the characters that this terminal has."""
        if not self.ascii:
            return text
        return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")

    def clip(self, text: str, columns: int) -> str:
        """*text* as spelled here if it takes no more than *columns* columns, else its beginning and dots.

        Secrets go first: the beginning of one is none that any later step would know.
        """
        spelled, dots = self.spell(hide(text)), self.spell("…")
        if cells(spelled) <= columns:
            return spelled
        return beginning(spelled, columns - len(dots)) + dots if columns > len(dots) else ""

    def fit(self, text: str, columns: int) -> str:
        """*text* in exactly *columns* columns, cut or filled with spaces."""
        return fill(self.clip(text, columns), columns)

    def paint(self, text: str, tone: Tone) -> str:
        """*text* in the colour of *tone*, on a terminal that has colours (SGR, ECMA-48 8.3.117)."""
        return f"\x1b[{tone.value}m{text}\x1b[0m" if self.color and tone is not Tone.PLAIN else text


def terminal_of(stream: TextIO, environ: Mapping[str, str], *, plain: bool = False) -> Terminal:
    """What *stream* can show: only a real terminal gets colour or a live screen, whatever FORCE_COLOR says.

    *plain* is `--ascii`; *environ* is read for NO_COLOR, TERM, COLUMNS and GITHUB_ACTIONS alone.
    """
    real = _is_terminal(stream)
    able = real and environ.get("TERM") not in ("dumb", "unknown")
    return Terminal(
        live=able,
        color=able and not environ.get("NO_COLOR"),
        ascii=plain or not _speaks_unicode(stream),
        width=_width(environ.get("COLUMNS", "")),
        github=environ.get("GITHUB_ACTIONS") == "true",
    )


def cells(text: str) -> int:
    """How many columns *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


def fill(text: str, columns: int) -> str:
    """*text* with spaces after it, up to *columns* columns."""
    return text + " " * (columns - cells(text))


def beginning(text: str, columns: int) -> str:
    """As much of *text* as fits into *columns* columns."""
    kept: list[str] = []
    for char in text:
        columns -= _cell(char)
        if columns < 0:
            break
        kept.append(char)
    return "".join(kept)


def wrapped(text: str, columns: int, indent: int) -> list[str]:
    """*text* broken between words into lines of *columns* columns, all but the first set in by *indent*.

    A number and its `%` are one word.
    """
    lines, line = [], ""
    for word in _BETWEEN_WORDS.split(text):
        if line.strip() and cells(line) + 1 + cells(word) > columns:
            lines.append(line.rstrip())
            line = " " * indent + word
        else:
            line = f"{line} {word}" if line or lines else word
    return [*lines, line]


_BETWEEN_WORDS = re.compile(" (?!%)")


def _cell(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _speaks_unicode(stream: TextIO) -> bool:
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    return encoding.startswith("utf")


def _width(columns: str) -> int | None:
    return int(columns) if columns.isdecimal() and int(columns) > 0 else None
