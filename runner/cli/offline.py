"""Commands that are safe on a stranger's pull request: no connection and no program, whoever asks for one."""

import sys
from typing import Any, Final

from runner.errors import RunnerError

OFFLINE: Final = frozenset({"validate", "rehearse", "query", "schema", "explain", "completion"})
OUTWARD: Final = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
)
"""Beginnings of the names of Python's audit events (https://docs.python.org/3/library/audit_events.html)."""


def stay_offline(command: str) -> None:
    """From here on, for as long as the process lives, reaching out is a RunnerError.

    Nothing in *command* does it today; this holds it for libraries, and for what is written tomorrow.
    """

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        if event.startswith(OUTWARD):
            raise RunnerError(
                f"`runner {command}` works offline, and something in it asked for {event}; nothing was sent or started",
                hint="this is a bug of runner, or of the Python that it runs in: please report it",
            )

    sys.addaudithook(refuse)
