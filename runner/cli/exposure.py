"""What a command says last when it cannot take a run up: where that leaves the traffic, and the way back."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from runner.errors import LockedError, RunnerError
from runner.journal import Record


@contextmanager
def told(record: Record) -> Iterator[None]:
    """Whatever the block raises is followed by where *record* leaves the traffic; who holds its lock watches it."""
    try:
        yield
    except (RunnerError, KeyboardInterrupt) as error:
        from runner.cli.runs import shown_of
        from runner.reports.summary import standing
        from runner.reports.terminal import terminal_of

        shown = shown_of(record.path, record, living=isinstance(error, LockedError))
        terminal = terminal_of(sys.stderr, os.environ)
        if lines := standing(shown.view, terminal, handle=shown.handle, watched=shown.living):
            error.add_note("\n".join(lines))
        raise
