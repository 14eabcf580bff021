"""The append-only file in which a world outlives the process that plays in it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner import private
from runner.errors import DisagreementError, RunnerError
from runner.foreign import json_of

FORMAT = 1

Line = Mapping[str, Any]
NONSENSE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What comes of lines that are JSON, and that no world has written."""


class EffectLog:
    """One JSON object a line: first what the world is made from, then every effect with its virtual time.

    A line is handed to the operating system before the effect is answered, so it outlives the process; it is
    not forced to the disk, since a world that a power cut takes back is only a rehearsal.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def append(self, line: Line) -> None:
        """Write one line. RunnerError where the disk refuses it."""
        text = json.dumps(line, separators=(",", ":")) + "\n"
        try:
            left = text.encode()
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise RunnerError(f"cannot write the sandbox's world {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def begin(path: Path, setup: Any) -> EffectLog:
    """A new log with only its first line; what was there before is gone. RunnerError where it cannot be."""
    try:
        private.make_folder(path.parent)
        descriptor = private.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.ftruncate(descriptor, 0)
    except OSError as error:
        raise RunnerError(
            f"cannot write the sandbox's world {path}: {error.strerror}",
            hint="choose a place that you may write to: `--state FILE`",
        ) from error
    log = EffectLog(path, descriptor)
    log.append({"v": FORMAT, "world": setup})
    return log


def read(path: Path) -> tuple[EffectLog, Any, tuple[Line, ...]]:
    """A log to go on with, what its world is made from, and its effects.

    A last line without its end was never answered and is cut off. DisagreementError where the file is
    missing, newer than this program, or damaged.
    """
    try:
        descriptor = private.open_file(path, os.O_RDWR | os.O_APPEND)
        whole = private.read_all(descriptor)
    except OSError as error:
        raise DisagreementError(
            f"the sandbox's world {path} cannot be read: {error.strerror}", hint="begin a new run"
        ) from error
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        os.ftruncate(descriptor, end)
    lines = [_parsed(path, number, text) for number, text in enumerate(whole[:end].splitlines(), 1)]
    if not lines or lines[0].get("v") != FORMAT or "world" not in lines[0]:
        raise DisagreementError(
            f"{path} is no sandbox world that this version can read", hint="begin a new run"
        )
    return EffectLog(path, descriptor), lines[0]["world"], tuple(lines[1:])


def damaged(path: Path, why: str = "it holds what no world was made from") -> DisagreementError:
    """What to say of a world that is readable, and none."""
    return DisagreementError(f"the sandbox's world {path} is damaged: {why}", hint="begin a new run")


def _parsed(path: Path, number: int, text: bytes) -> Line:
    try:
        line = json_of(text)
    except ValueError as error:
        raise DisagreementError(f"the sandbox's world {path} is damaged at line {number}") from error
    if not isinstance(line, dict):
        raise DisagreementError(f"the sandbox's world {path} is damaged at line {number}")
    return line
