"""The Clock port on the machine's clocks."""

import time

LONGEST = 1.0  # seconds of one sleep: orders and signals are looked at that often


class SystemClock:
    """Wall-clock time at the start, carried on by the clock that counts suspended time and never jumps.

    So a corrected wall clock neither cuts a wait short nor lengthens it, and a laptop's sleep counts.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - _elapsed_ns()

    def now(self) -> float:
        """Unix seconds, cut to whole milliseconds."""
        return (self._offset + _elapsed_ns()) // 1_000_000 / 1000

    def sleep_until(self, until: float) -> None:
        """Return at *until*, or a second from now: whatever comes first."""
        left = min(until - self.now(), LONGEST)
        if left > 0:
            time.sleep(left)


def _elapsed_ns() -> int:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()
