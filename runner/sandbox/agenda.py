"""What will happen by itself, in the order of time."""

import heapq
from collections.abc import Callable
from itertools import count

Happening = Callable[[int], None]
"""Something that happens at a time in Unix milliseconds."""


class Agenda:
    """Happenings to come; those of the same moment happen in the order in which they were written down."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Happening]] = []
        self._order = count()

    def at(self, moment: int, happening: Happening) -> None:
        """*happening* comes at *moment*."""
        heapq.heappush(self._entries, (moment, next(self._order), happening))

    def due(self, now: int) -> tuple[int, Happening] | None:
        """The next happening up to *now* with its moment, taken off the agenda; None where nothing is due."""
        if not self._entries or self._entries[0][0] > now:
            return None
        moment, _, happening = heapq.heappop(self._entries)
        return moment, happening
