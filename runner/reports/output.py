"""A stream that may break: what cannot be written is dropped and counted, and the run goes on."""

import os
from typing import TextIO

from runner.errors import RunnerError
from runner.reports.terminal import Terminal, Tone, wrapped


class Output:
    """Writes whole lines, each at once; *dropped* counts the lines that found no reader or no room."""

    def __init__(self, stream: TextIO, terminal: Terminal) -> None:
        self.stream = stream
        self.terminal = terminal
        self.dropped = 0
        self.trouble: OSError | None = None

    def line(self, text: str = "") -> None:
        """Write one line in the characters that the stream has."""
        self.write(self.terminal.spell(text) + "\n")

    def entry(self, text: str, tone: Tone, indent: int) -> None:
        """Write one entry of a list; a terminal gets it broken between words, set in by *indent* columns."""
        spelled, columns = self.terminal.spell(text), self.columns()
        for line in [spelled] if columns is None else wrapped(spelled, columns, indent):
            self.write(self.terminal.paint(line, tone) + "\n")

    def columns(self) -> int | None:
        """How wide the terminal is now; None where nobody would see a break."""
        if not self.terminal.live:
            return None
        try:
            return self.terminal.width or os.get_terminal_size(self.stream.fileno()).columns
        except (OSError, ValueError):
            return None

    def write(self, text: str) -> None:
        """Write *text* as it is; characters that the stream cannot encode are spelled out."""
        try:
            self.stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
            self.stream.flush()
        except BrokenPipeError:
            self.dropped += 1
            self._abandon()
        except OSError as error:  # no room, an I/O error
            self.dropped += 1
            self.trouble = self.trouble or error
        except (ValueError, RuntimeError):  # closed, or inside a write
            self.dropped += 1

    def demand(self) -> None:
        """RunnerError where the stream had no room: for a result that somebody counts on, not for a run."""
        self.close()
        if self.trouble is not None:
            raise _unwritten(self.trouble)

    def flush(self) -> None:
        """Every write is flushed already; rich asks all the same."""

    def isatty(self) -> bool:
        """Whether this is a terminal to draw on."""
        return self.terminal.live

    @property
    def encoding(self) -> str:
        """What the stream encodes with."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    def close(self) -> None:
        """Leave nothing behind that the interpreter would stumble over when it flushes at its end."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            self._abandon()
        except OSError as error:
            self.trouble = self.trouble or error
            self._abandon()
        except ValueError:
            pass  # closed already: nothing is left to flush

    def _abandon(self) -> None:
        """Nobody reads any more: what is still buffered, and what follows, goes to the null device."""
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)
        except (OSError, ValueError):
            return


def _unwritten(trouble: OSError) -> RunnerError:
    return RunnerError(
        f"the answer could not be written: {trouble.strerror or trouble}",
        hint="what arrived is not complete; make room, or write it elsewhere",
    )
