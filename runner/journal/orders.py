"""Orders to a living run: a file beside the state file, which the playing process reads every second."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from runner import private
from runner.engine.observations import Order, OrderKind
from runner.errors import RunnerError


def orders_path(state: Path) -> Path:
    """Where orders to the run of *state* are left."""
    return Path(f"{state}.orders")


def line_of(order: Order) -> str:
    """*order* as one line with its newline."""
    return json.dumps({"kind": order.kind.value, "by": order.by, "reason": order.reason}) + "\n"


def give_order(state: Path, order: Order) -> None:
    """Leave *order* for the process that plays *state*."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(orders_path(state), flags, private.FILE)
    try:
        _hand_over(descriptor, state)
        os.write(descriptor, line_of(order).encode())
    finally:
        os.close(descriptor)


def _hand_over(descriptor: int, state: Path) -> None:
    """An order of root's reaches the run of another user, who could not read root's own file."""
    owner = state.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


class OrdersFile:
    """Reads orders that come after it was opened; older ones were meant for another process."""

    def __init__(self, state: Path) -> None:
        self._path = orders_path(state)
        self._offset = self._size()

    def poll(self) -> Sequence[Order]:
        """Whole lines that have not been seen; what is no order is passed over."""
        if self._size() <= self._offset:
            return ()
        data = self._read()[self._offset :]
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return tuple(order for line in whole.splitlines() if (order := order_of(line)) is not None)

    def _read(self) -> bytes:
        """Nothing where the file is not one that only this user may write: then it is no order."""
        try:
            descriptor = private.open_file(self._path, os.O_RDONLY)
        except (OSError, RunnerError):
            return b""
        try:
            return private.read_all(descriptor)
        finally:
            os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def order_of(line: bytes) -> Order | None:
    """The order in *line*; None where there is none."""
    try:
        body = json.loads(line)
        return Order(OrderKind(body["kind"]), str(body["by"]), str(body.get("reason", "")))
    except (ValueError, KeyError, TypeError):
        return None
