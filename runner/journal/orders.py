"""Orders to a living run: a file beside the state file, which the playing process reads every second."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from runner import private
from runner.engine.observations import Order, OrderKind
from runner.errors import RunnerError
from runner.foreign import json_of

MOST = 64 * 1024  # bytes that one look takes in; what is left waits for the next


def orders_path(state: Path) -> Path:
    """Where orders to the run of *state* are left."""
    return Path(f"{state}.orders")


def line_of(order: Order) -> str:
    """*order* as one line with its newline."""
    return json.dumps({"kind": order.kind.value, "by": order.by, "reason": order.reason}) + "\n"


def give_order(state: Path, order: Order) -> None:
    """Leave *order* for the process that plays *state*. RunnerError where the disk does not take it."""
    try:
        _give(state, order)
    except OSError as error:
        raise RunnerError(
            f"no order can be left in {orders_path(state)}: {error.strerror or error}; the process that plays"
            f" {state} does not know of it",
            hint="make room and give it again; or stop that process (Ctrl-C, or kill -TERM), and take traffic back"
            " without a disk: `runner rollback --route ROUTE -n NAMESPACE`",
        ) from error


def _give(state: Path, order: Order) -> None:
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
        self._offset = 0
        self._offset = self._size()

    def poll(self) -> Sequence[Order]:
        """Whole lines that have not been seen; what is no order is passed over."""
        size = self._size()
        if size <= self._offset:
            self._offset = size  # it was taken away or emptied: what comes next is new
            return ()
        data = self._read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole) or len(data) // MOST * MOST  # a line as long as that is no order
        return tuple(order for line in whole.splitlines() if (order := order_of(line)) is not None)

    def _read(self) -> bytes:
        """What is new, as much as one look takes; nothing where others may write the file: then it is no order."""
        try:
            descriptor = private.open_file(self._path, os.O_RDONLY)
        except (OSError, RunnerError):
            return b""
        try:
            return os.pread(descriptor, MOST, self._offset)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError:
            return self._offset


def order_of(line: str | bytes) -> Order | None:
    """The order in *line*; None where there is none."""
    try:
        body = json_of(line)
        return Order(OrderKind(body["kind"]), str(body["by"]), str(body.get("reason", "")))
    except (ValueError, KeyError, TypeError):
        return None
