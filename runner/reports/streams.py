"""The last thing that text passes on its way out: standard output and standard error of the whole process.

Whoever prints has escaped what is foreign already, since only there is it known which line ends are ours. This
is for the day on which somebody forgets: no secret gets out here, and nothing that a terminal would obey,
apart from the few sequences that our own screens are made of.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase, TextIOBase
from typing import Any, Final, TextIO, cast

from runner.reports.escape import DANGEROUS, written_out
from runner.secrecy import hide

OURS: Final = r"\x1b\[[0-9;]*m|\x1b\[[0-9]*[AK]|\x1b\[\?25[hl]|\r(?=\x1b\[(?:2K|1A))"
"""Colours, the cursor up, a line cleared and begun (ECMA-48 8.3.117, 8.3.22, 8.3.41), the cursor hidden (DECTCEM)."""
ELSEWHERE: Final = re.compile(rf"[\n\t]|({DANGEROUS.pattern})")
ON_TERMINALS: Final = re.compile(rf"[\n\t]|{OURS}|({DANGEROUS.pattern})")


class Guarded(TextIOBase):
    """A text stream that lets neither secrets nor foreign control characters through; its `buffer` does not either."""

    encoding: str = "utf-8"
    errors: str | None = None

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.errors = getattr(stream, "errors", None)
        self.buffer = _GuardedBytes(self)
        self._spelled = ON_TERMINALS if _is_terminal(stream) else ELSEWHERE

    def write(self, text: str, /) -> int:
        """Write *text*; what the stream cannot encode is spelled out."""
        clean = guarded(text, self._spelled)
        self._stream.write(clean.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand over what was written."""
        self._stream.flush()

    def fileno(self) -> int:
        """The descriptor below."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """True."""
        return True

    @property
    def closed(self) -> bool:
        """Whether the stream below is."""
        return self._stream.closed


class _GuardedBytes(RawIOBase):
    """For who writes bytes, as click does for a shell's completion: they are text all the same."""

    def __init__(self, text: Guarded) -> None:
        self._text = text

    def write(self, data: Any, /) -> int:
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        self._text.flush()
        return len(data)

    def writable(self) -> bool:
        return True


def guarded(text: str, spelled: re.Pattern[str] = ELSEWHERE) -> str:
    """*text* without secrets, its control characters written out, apart from line ends and tabs."""
    return spelled.sub(_spell, hide(text))


def _spell(found: re.Match[str]) -> str:
    return found[0] if found[1] is None else written_out(found[1])


@contextmanager
def guarding() -> Iterator[None]:
    """Until the block ends, standard output and standard error are guarded."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _guard(sys.stdout), _guard(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _guard(stream: Any) -> TextIO:
    return cast(TextIO, Guarded(stream))


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False
