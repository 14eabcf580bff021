"""Virtual time: it passes only where somebody sleeps."""

import math
from collections.abc import Callable

LONGEST_NAP = 1.0  # real seconds after which a sleep returns early, so that people's orders are seen


def to_ms(seconds: float) -> int:
    """Unix seconds as whole milliseconds, never earlier than *seconds*; what a float adds is ignored."""
    return math.ceil(round(seconds * 1000, 3))


class VirtualClock:
    """The Clock port in virtual time. With *speed* it really sleeps that much less than time passes."""

    def __init__(
        self, start: float, *, speed: float | None = None, sleep: Callable[[float], None] | None = None
    ) -> None:
        self._ms = to_ms(start)
        self._speed = speed if sleep else None
        self._sleep = sleep

    @property
    def ms(self) -> int:
        """The time in whole milliseconds."""
        return self._ms

    def now(self) -> float:
        """The time in Unix seconds."""
        return self._ms / 1000

    def sleep_until(self, until: float) -> None:
        """Jump to *until*; at a speed, go there at that speed and at most a real second of the way."""
        left = to_ms(until) - self._ms
        if left <= 0:
            return
        if self._speed is None or self._sleep is None:
            self._ms += left
            return
        nap = min(left / 1000 / self._speed, LONGEST_NAP)
        self._sleep(nap)
        self._ms += left if nap < LONGEST_NAP else max(round(nap * self._speed * 1000), 1)

    def set(self, seconds: float) -> None:
        """Go on from *seconds* if that is later: a world that was left alone has stood still."""
        self._ms = max(self._ms, to_ms(seconds))
