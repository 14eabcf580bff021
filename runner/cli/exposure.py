"""What a command says last when it cannot take a run up: where that leaves the traffic, and the way back."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
        from runner.cli.runs import shown_of
        from runner.reports.summary import standing
        from runner.reports.terminal import terminal_of

        shown = shown_of(record.path, record, living=_is_living(error, played))
        terminal = terminal_of(sys.stderr, os.environ)
        if lines := standing(shown.view, terminal, handle=shown.handle, watched=shown.living):
            error.add_note("\n".join(lines))
        raise


def _is_living(error: BaseException, played: Callable[[], bool] | None) -> bool:
    if played is None:
        return isinstance(error, LockedError)
    try:
        return played()
    except RunnerError:  # a record that nobody can read any more is watched by nobody that is known
        return False
