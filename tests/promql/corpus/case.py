"""A query, the world it is asked of, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from .worlds import BASE, MINUTE


@dataclass(frozen=True, slots=True)
class Case:
    """A query and when it is asked: at one moment, or from *start* to *end* every *step*; milliseconds."""

    group: str
    world: str
    expr: str
    at: int | None = None
    start: int = 0
    end: int = 0
    step: int = 0

    def record(self) -> dict[str, object]:
        when = (
            {"at": self.at}
            if self.at is not None
            else {"start": self.start, "end": self.end, "step": self.step}
        )
        return {"group": self.group, "world": self.world, "expr": self.expr, **when}


MID = BASE + 10 * MINUTE


INSTANTS = (MID, MID + 7_500, BASE + 18 * MINUTE + 1)


def instant(group: str, world: str, *exprs: str, at: tuple[int, ...] = (MID,)) -> Iterator[Case]:
    for expr, moment in product(exprs, at):
        yield Case(group, world, expr, at=moment)


def ranged(
    group: str,
    world: str,
    *exprs: str,
    start: int = BASE,
    end: int = BASE + 21 * MINUTE,
    step: int = 3 * MINUTE,
) -> Iterator[Case]:
    for expr in exprs:
        yield Case(group, world, expr, start=start, end=end, step=step)


def both(
    group: str, world: str, *exprs: str, at: tuple[int, ...] = (MID,), step: int = 3 * MINUTE
) -> Iterator[Case]:
    yield from instant(group, world, *exprs, at=at)
    yield from ranged(group, world, *exprs, step=step)
