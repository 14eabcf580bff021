"""Real processes at a real terminal: a pseudo-terminal that a test can write to, resize and take away."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")
WATCHED = 30.0  # seconds that a process may take for anything
GATED = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: gated}
target: {namespace: shop}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
stages:
  - {name: a fifth, shift: {route: orders, canary: 20}}
  - {name: ask, approve: {message: "Look at the board.", timeout: 24h}}
  - {name: half, shift: {route: orders, canary: 50}}
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What a process of the tests knows of this machine."""
    return {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", **more}


def until_in(file: Path, text: str) -> None:
    """Wait until *file* holds *text*."""
    deadline = time.monotonic() + WATCHED
    while not (file.exists() and text in file.read_text()):
        assert time.monotonic() < deadline, f"{file} never had {text!r}"
        time.sleep(0.02)


class Seat:
    """A person at a terminal: what the process has said so far, and what is typed."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process, self.master = process, master
        self.said = ""

    def until(self, text: str) -> str:
        """Wait until the process has said *text*; all that it has said."""
        deadline = time.monotonic() + WATCHED
        while text not in self.said:
            assert time.monotonic() < deadline, f"{text!r} was not said: {self.said[-800:]}"
            assert self._read(), f"it ended before it said {text!r}: {self.said[-800:]}"
        return self.said

    def ended(self) -> int:
        """The exit code, when everything that it said has been read."""
        deadline = time.monotonic() + WATCHED
        while self._read():
            assert time.monotonic() < deadline, f"it has not ended: {self.said[-800:]}"
        return self.process.wait(WATCHED)

    def type(self, text: str) -> None:
        """As keys would."""
        os.write(self.master, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        """The kernel tells the process by SIGWINCH."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def leave(self) -> None:
        """Close the terminal, as a closed window does."""
        os.close(self.master)
        self.master = -1

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # nobody has the other end open any more
            return False
        self.said += data.decode(errors="replace")
        return bool(data)


@contextlib.contextmanager
def seated(
    folder: Path, *words: str, size: tuple[int, int] = (24, 80), environ: Mapping[str, str] = {}
) -> Iterator[Seat]:
    """`runner WORDS` in *folder*, its three streams a terminal of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", CONTROLLED, *words],
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(folder, **environ),
        start_new_session=True,
    )
    os.close(slave)
    seat = Seat(process, master)
    try:
        yield seat
    finally:
        process.kill()
        process.wait()
        if seat.master >= 0:
            os.close(seat.master)


CONTROLLED = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
import runner.__main__
sys.argv[0] = "runner"
runner.__main__.main()
"""
