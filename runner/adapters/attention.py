"""What reaches a playing process from outside: signals, and whoever else is asked (an orders file, a terminal)."""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from runner.engine.observations import Interrupted, Order
from runner.errors import ExitCode
from runner.ports import Orders
from runner.secrecy import hide

CODES = {
    signal.SIGHUP: int(ExitCode.HANGUP),
    signal.SIGINT: int(ExitCode.INTERRUPTED),
    signal.SIGTERM: int(ExitCode.TERMINATED),
}


LOOK_EVERY = 0.05  # real seconds, while the run's own time stands still


class Attention:
    """Several sources of orders as one, and signals among them.

    While *held* says so, nobody goes on before a word has come: a person is thinking, and virtual time would
    not wait.
    """

    def __init__(self, *sources: Orders, held: Callable[[], bool] = lambda: False) -> None:
        self._sources, self._held = sources, held
        self._signals: deque[Interrupted] = deque()

    def poll(self) -> Sequence[Order | Interrupted]:
        """What has come since the last time."""
        came = self._heard()
        while not came and self._held():
            time.sleep(LOOK_EVERY)
            came = self._heard()
        return came

    def _heard(self) -> Sequence[Order | Interrupted]:
        """Signals first: whoever pressed Ctrl-C is waiting."""
        came: list[Order | Interrupted] = []
        while self._signals:
            came.append(self._signals.popleft())
        for source in self._sources:
            came.extend(source.poll())
        return came

    @contextmanager
    def listening(self, told: Callable[[str], None], parting: Callable[[], str]) -> Iterator[None]:
        """Handle signals until the block ends; *told* is called with the name of the first one.

        *parting* gives what is written before leaving at the second.

        Nothing is cleaned up in a handler: the run's state is on the disk before every effect. Behind the block
        signals are not heard any more, since nothing is left that they could change.
        """

        def arrived(number: int, frame: FrameType | None) -> None:
            del frame
            if self._signals or getattr(arrived, "once", False):
                _leave(number, parting)
            arrived.once = True  # type: ignore[attr-defined]  # a function's own mark that it ran
            name = signal.Signals(number).name
            self._signals.append(Interrupted(name, CODES[signal.Signals(number)]))
            told(name)

        heard = [number for number in CODES if not _told_to_ignore(number)]
        for number in heard:
            signal.signal(number, arrived)
        try:
            yield
        finally:
            for number in CODES:
                signal.signal(number, signal.SIG_IGN)


def _told_to_ignore(number: signal.Signals) -> bool:
    """What `nohup` starts goes on when its terminal is closed."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def _leave(number: int, parting: Callable[[], str]) -> None:
    """The second time means now: what streams hold back stays there."""
    try:
        os.write(sys.stderr.fileno(), hide(parting()).encode("utf-8", "backslashreplace"))
    finally:
        os._exit(CODES[signal.Signals(number)])
