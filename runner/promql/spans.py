"""Which stretch of time each selector of a query reads."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from runner.promql.errors import ParameterError
from runner.promql.tree import Edge, Extension, Node, Range, Selector, Subquery, children

LOOKBACK = 300_000  # how old a sample an instant selector may take, in milliseconds
SUBQUERY_STEP = 60_000  # Prometheus' default evaluation interval, in milliseconds


MAX_SECONDS = 9_007_199_254_740  # whole milliseconds that a float holds exactly, in seconds


def milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds, rounded. ParameterError for what is no time."""
    if not abs(seconds) <= MAX_SECONDS:
        raise ParameterError(f"{seconds:g} s is out of range")
    return math.floor(seconds * 1000 + 0.5)


class Span(NamedTuple):
    """*selector* reads samples after *start* and up to *end*, in milliseconds."""

    selector: Selector
    start: int
    end: int


class Scope(NamedTuple):
    """The moments at which an expression is evaluated, and the edges of the whole query."""

    first: int
    last: int
    start: int
    end: int

    def shifted(self, offset: int, at: int | Edge | None) -> "Scope":
        """The moments after `offset` and `@`."""
        fixed = self.moment(at)
        first, last = (self.first, self.last) if fixed is None else (fixed, fixed)
        return Scope(first - offset, last - offset, self.start, self.end)

    def moment(self, at: int | Edge | None) -> int | None:
        """The Unix milliseconds that `@` names, None without it."""
        match at:
            case Edge.START:
                return self.start
            case Edge.END:
                return self.end
            case _:
                return at

    def widened(self, duration: int) -> "Scope":
        """The moments of a window that reaches back by *duration*."""
        return Scope(self.first - duration, self.last, self.start, self.end)


def reach(extension: Extension | None) -> tuple[int, int]:
    """How far before and after its range an extended range selector reads, in milliseconds."""
    if extension is None:
        return 0, 0
    return LOOKBACK, LOOKBACK if extension is Extension.SMOOTHED else 0


def spans(node: Node, start: int, end: int) -> Iterator[Span]:
    """What each selector reads when *node* is evaluated from *start* to *end*."""
    yield from _spans(node, Scope(start, end, start, end))


def _spans(node: Node, scope: Scope) -> Iterator[Span]:
    match node:
        case Selector(offset=offset, at=at, extension=extension):
            read = scope.shifted(offset, at).widened(LOOKBACK)
            yield Span(node, read.first, read.last + LOOKBACK * (extension is Extension.SMOOTHED))
        case Range(selector=selector, duration=duration):
            read = scope.shifted(selector.offset, selector.at).widened(duration)
            before, after = reach(selector.extension)
            yield Span(selector, read.first - before, read.last + after)
        case Subquery(expression=expression, duration=duration, offset=offset, at=at):
            yield from _spans(expression, scope.shifted(offset, at).widened(duration))
        case _:
            for child in children(node):
                yield from _spans(child, scope)
