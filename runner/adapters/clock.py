"""The Clock port on the machine's clocks."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 1.0  # seconds of one sleep: orders and signals are looked at that often


class SystemClock:
    """Wall-clock time at the start, carried on by the clock that counts suspended time and never jumps.

    So a corrected wall clock neither cuts a wait short nor lengthens it, and a laptop's sleep counts.
    *wake* is a file descriptor that ends a sleep when it becomes readable (see `woken_by_signals`).
    """

    def __init__(self, wake: int | None = None) -> None:
        self._offset = time.time_ns() - _elapsed_ns()
        self._wake = wake

    def now(self) -> float:
        """Unix seconds, cut to whole milliseconds."""
        return (self._offset + _elapsed_ns()) // 1_000_000 / 1000

    def sleep_until(self, until: float) -> None:
        """Return at *until*, a second from now, or when a signal arrives: whatever comes first."""
        left = min(until - self.now(), LONGEST)
        if left <= 0:
            return
        if self._wake is None:
            time.sleep(left)
        elif select.select([self._wake], [], [], left)[0]:
            os.read(self._wake, 4096)


@contextmanager
def woken_by_signals() -> Iterator[int]:
    """A descriptor for `SystemClock` that becomes readable when a signal with a Python handler arrives.

    For the main thread only, as everything about signals.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)  # noqa: FBT003 - the socket's own spelling
        writer.setblocking(False)  # noqa: FBT003
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader.fileno()
        finally:
            signal.set_wakeup_fd(before)


def _elapsed_ns() -> int:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()
