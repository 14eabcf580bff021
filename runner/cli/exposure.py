"""What a command says last when it cannot take a run up: whether a canary has traffic that nobody watches."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from runner.cli.runs import shown_of
from runner.errors import LockedError, RunnerError
from runner.journal import Record
from runner.reports.summary import last_words
from runner.reports.terminal import terminal_of


@contextmanager
def told(record: Record) -> Iterator[None]:
    """Whatever the block raises is followed by where *record* leaves a canary; whoever holds the lock watches it."""
    try:
        yield
    except LockedError:
        raise
    except RunnerError as error:
        shown = shown_of(record.path, record, living=False)
        if shown.view.exposed:
            _, *lines = last_words(shown.view, terminal_of(sys.stderr, os.environ), handle=shown.handle)
            error.add_note("\n".join(lines))
        raise
