"""SIGKILL at every executed line of the journal and the conductor: what was told is there, and resume goes on.

A traced process plays; at each such line it forks, and the copy, which stands at the same line with the same
memory and the same open files, is killed. What lies on the disk then is what the kill left. The run is
gone on with from each of these, once where several lines left the very same bytes.
"""

import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import runner.conductor
import runner.journal
from tests.prove.oracle import Violation
from tests.prove.processes import (
    COMMANDS,
    Files,
    begun,
    ended_as_promised,
    files_in,
    fork,
    goal_of,
    is_finished,
    wait,
    whole_lines,
    words_of,
)
from tests.prove.simulation import SHELF

TRACED = tuple(str(Path(package.__file__).parent) for package in (runner.journal, runner.conductor))
PARTS = 40


def parts() -> Iterator[tuple[str, int]]:
    """Every command, in parts of about as many lines."""
    return ((command, part) for command in COMMANDS for part in range(PARTS))


def killed(command: str, part: int) -> dict[str, int]:
    """Kill *command* at every line of one part; Violation unless each of what was left can be gone on with."""
    with tempfile.TemporaryDirectory(prefix="line-", dir=SHELF) as name:
        folder, told = Path(name), Path(f"{name}.told")
        state = begun(command, folder)
        lines, share = lines_of(command), -(-lines_of(command) // PARTS)
        last = part == PARTS - 1
        killer = Killer(folder, told, range(part * share, lines * 2 if last else (part + 1) * share))
        _played(command, state, killer, told)
        kills, left = pickle.loads(Path(f"{name}.left").read_bytes())
        for spare in (told, Path(f"{name}.left")):
            spare.unlink()
    for files, acknowledged in left:
        _goes_on(command, files, acknowledged)
    return {"kills": kills, "ends": len(left)}


@cache
def lines_of(command: str) -> int:
    """How many lines of the journal and the conductor an undisturbed *command* executes."""
    with tempfile.TemporaryDirectory(prefix="line-", dir=SHELF) as name:
        folder, told = Path(name) / "run", Path(name) / "told"
        folder.mkdir()
        killer = Killer(folder, told, range(0))
        _played(command, begun(command, folder), killer, told)
        return int(pickle.loads((Path(name) / "run.left").read_bytes())[0])


class Killer:
    """A trace function: at each line of *lines* a copy of this process is killed, and what it left is kept."""

    def __init__(self, folder: Path, told: Path, lines: range) -> None:
        self.folder, self.told, self.lines = folder, told, lines
        self.seen, self.kills = 0, 0
        self.left: list[tuple[Files, bytes]] = []

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        del event, argument
        return self.line if frame.f_code.co_filename.startswith(TRACED) else None

    def line(self, frame: FrameType, event: str, argument: object) -> Any:
        del frame, argument
        if event == "line":
            if self.seen in self.lines:
                self._kill()
            self.seen += 1
        return self.line

    def _kill(self) -> None:
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        self.kills += os.WIFSIGNALED(status)
        files = files_in(self.folder)
        if not self.left or files != self.left[-1][0]:
            self.left.append((files, b""))
        self.left[-1] = (files, self.told.read_bytes())

    def around(self, play: Callable[[], int]) -> int:
        """Play under the trace, the told lines in a file of their own; what came of it lies beside the folder."""
        os.dup2(os.open(self.told, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        sys.settrace(self)
        code = play()
        sys.settrace(None)
        came = (self.kills if self.lines else self.seen, self.left)
        Path(f"{self.folder}.left").write_bytes(pickle.dumps(came))
        return code


def _played(command: str, state: Path, killer: Killer, told: Path) -> None:
    told.touch()
    code = wait(fork(words_of(command, state), killer.around))
    if code != 0:
        raise Violation(f"the traced {command} ended with {code}")


def _goes_on(command: str, files: Files, acknowledged: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="line-", dir=SHELF) as name:
        for file, data in files.items():
            (Path(name) / file).write_bytes(data)
        state = Path(name) / "run.jsonl"
        _is_there(state, acknowledged)
        if not is_finished(state):
            code = wait(fork(words_of(command, state)))
            if code != 0:
                raise Violation(f"after a kill {command} ended with {code}")
        ended_as_promised(state, goal_of(command))


def _is_there(state: Path, acknowledged: bytes) -> None:
    """Every line that was told stands in the state file."""
    known = set(whole_lines(state))
    for line in acknowledged[: acknowledged.rfind(b"\n") + 1].decode().splitlines():
        if line not in known:
            raise Violation(f"it was told, and is not in the state file: {line[:200]}")
