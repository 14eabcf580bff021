"""Orders to a run that another process plays: left beside its state file, answered in its journal."""

import time
from collections.abc import Callable
from pathlib import Path

from runner.engine.events import Event
from runner.engine.observations import Order
from runner.errors import LockedError, RunnerError
from runner.journal import give_order, read

PATIENCE = 15.0  # real seconds in which a living run answers
LOOK_EVERY = 0.2


def order_and_wait(
    path: Path, order: Order, answered: Callable[[Event], bool], *, patience: float = PATIENCE
) -> Event:
    """Leave *order* and return the event that answers it. LockedError when none comes in time."""
    known = len(read(path).events)
    give_order(path, order)
    for _ in range(int(patience / LOOK_EVERY)):
        time.sleep(LOOK_EVERY)  # noqa: TID251 - real time, of another process
        for event in _since(path, known):
            if answered(event):
                return event
    raise LockedError(
        f"the process that plays {path} did not answer within {patience:.0f} s",
        hint="if it hangs, stop it (kill -9 is safe) and give the order again",
    )


def _since(path: Path, known: int) -> tuple[Event, ...]:
    try:
        return read(path).events[known:]
    except RunnerError:
        return ()  # it is writing this very moment; the next look reads it whole
