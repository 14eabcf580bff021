"""What a command says last when it cannot take a run up: where that leaves the traffic, and the way back."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from runner.errors import LockedError, RunnerError
from runner.journal import Record


@contextmanager
def told(record: Record, played: Callable[[], bool] | None = None) -> Iterator[None]:
    """Whatever the block raises is followed by where *record* leaves the traffic.

    *played* says whether a process plays it; without it whoever holds the lock that was wanted does.
    """
    try:
        yield
    except (RunnerError, KeyboardInterrupt) as error:
        if lines := left(record, sys.stderr, living=_is_living(error, played)):
            error.add_note("\n".join(lines))
        raise


def left(record: Record, stream: TextIO, *, living: bool = False) -> list[str]:
    """Where *record* leaves the traffic and how to go on or back, as *stream* shows it; nothing of a finished run."""
    from runner.cli.runs import shown_of
    from runner.reports.summary import standing
    from runner.reports.terminal import terminal_of

    shown = shown_of(record.path, record, living=living)
    return standing(shown.view, terminal_of(stream, os.environ), handle=shown.handle, watched=shown.living)


def _is_living(error: BaseException, played: Callable[[], bool] | None) -> bool:
    if played is None:
        return isinstance(error, LockedError)
    try:
        return played()
    except RunnerError:  # a record that nobody can read any more is watched by nobody that is known
        return False
