"""Several processes over one virtual clock: one plays at a time, whoever is due first, so that nothing is left to chance."""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.adapters.clock import LONGEST
from runner.errors import RunnerError
from runner.sandbox import VirtualClock
from tests.prove.faults import Killed

KILLED = -9  # the exit code of a process that SIGKILL ended


class Turns:
    """Who is due when. Time passes here and nowhere else."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, time: float, act: Callable[[], None]) -> None:
        """Call *act* at *time*."""
        heapq.heappush(self._due, (max(time, self.clock.now()), next(self._numbers), act))

    def until(self, holds: Callable[[], bool]) -> None:
        """Let whoever is due play until a condition holds."""
        while not holds():
            assert self._due, "everybody waits for somebody else"
            time, _, act = heapq.heappop(self._due)
            self.clock.set(time)
            act()


@dataclass
class Process:
    """A process of `runner` as a thread that plays only in its turn; it is the Clock port of what it plays."""

    turns: Turns
    command: Callable[["Process"], int]
    code: int | None = None
    stopped: bool = False
    killed: bool = False
    fault: BaseException | None = None
    _waits: bool = False
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self) -> None:
        threading.Thread(target=self._live, daemon=True).start()
        self.turns.at(self.turns.clock.now(), self.turn)

    @property
    def still(self) -> bool:
        """Whether it has ended, or stands still until somebody wakes it."""
        return self.code is not None or (self.stopped and self._waits)

    def now(self) -> float:
        return self.turns.clock.now()

    def sleep_until(self, until: float) -> None:
        """As the machine's clock does: a second at most."""
        if until > self.now():
            self.turns.at(min(until, self.now() + LONGEST), self.turn)
            self._give_back()
        self.alive()

    def alive(self) -> None:
        """Where signals act: before every call to the outside. Killed when it has been killed."""
        while self.stopped and not self.killed:
            self._waits = True
            self._give_back()
        if self.killed:
            raise Killed

    def turn(self) -> None:
        """Play until the next sleep. A turn that comes due while it is stopped comes when it is woken."""
        if self.code is not None:
            return
        if self.stopped and not self.killed:
            self._waits = True
            return
        self._go.release()
        self._back.acquire()
        if self.fault is not None:
            raise self.fault

    def stop(self) -> None:
        self.stopped = True

    def wake(self) -> None:
        """Go on where it was stopped."""
        self.stopped = False
        if self._waits:
            self._waits = False
            self.turns.at(self.now(), self.turn)

    def kill(self) -> None:
        """It dies where it stands."""
        self.killed = True
        self.turns.at(self.now(), self.turn)

    def _give_back(self) -> None:
        self._back.release()
        self._go.acquire()

    def _live(self) -> None:
        self._go.acquire()
        try:
            self.code = self.command(self)
        except Killed:
            self.code = KILLED
        except RunnerError as error:
            self.code = int(error.exit_code)
        except BaseException as error:
            self.fault, self.code = error, 1
        self._back.release()
