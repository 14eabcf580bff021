"""Orders to a run that another process plays: left beside its state, answered in its journal."""

import time
from collections.abc import Callable

from runner.cli.states import State, since
from runner.engine.events import Event
from runner.engine.observations import Order
from runner.errors import LockedError

PATIENCE = 15.0  # real seconds in which a living run answers
LOOK_EVERY = 0.2


def order_and_wait(state: State, order: Order, answered: Callable[[Event], bool]) -> Event:
    """Leave *order* and return the event that answers it. LockedError when none comes in time."""
    known = len(state.read().events)
    state.give(order)
    for _ in range(int(PATIENCE / LOOK_EVERY)):
        time.sleep(LOOK_EVERY)  # noqa: TID251 - real time, of another process
        for event in since(state, known):
            if answered(event):
                return event
    raise LockedError(
        f"the process that plays {state.path} did not answer within {PATIENCE:.0f} s",
        hint="if it hangs, stop it (kill -9 is safe) and give the order again",
    )
