"""Whole processes and pieces of code, measured in pairs: floor and subject by turns, so that the machine's load is the same."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAIRS = 11


@dataclass(frozen=True)
class Spent:
    """What one process took: seconds of CPU (user and system), seconds of wall clock, MiB at its largest."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True)
class Figure:
    """One row of the table; *holds* says whether the goal was reached in this run."""

    what: str
    figure: str
    goal: str
    holds: bool


def process(command: Sequence[str | Path], folder: Path, *, code: int = 0) -> Spent:
    """Run *command* to its end in *folder*, with a fresh home; it must end with *code*."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "NO_COLOR": "1"}
    began = time.perf_counter()
    running = subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(running.pid, 0)
    wall = time.perf_counter() - began
    ended = os.waitstatus_to_exitcode(status)
    if ended != code:
        said = running.stderr.read().decode() if running.stderr else ""
        raise SystemExit(f"{' '.join(map(str, command))} ended with {ended}, not {code}\n{said}")
    return Spent(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def ratio(floor: Callable[[], float], subject: Callable[[], float], pairs: int = PAIRS) -> float:
    """How many times *floor* costs *subject*: the median over pairs taken by turns."""
    floor(), subject()
    return statistics.median(subject() / floor() for _ in range(pairs))


def median(take: Callable[[], float], times: int = PAIRS) -> float:
    """The median of *times* measurements."""
    return statistics.median(take() for _ in range(times))


def at_most(what: str, ratio_found: float, limit: float, peer: str) -> Figure:
    """A ratio that must not exceed *limit*."""
    return Figure(what, f"{ratio_found:.2f} x {peer}", f"at most {limit:g} x", ratio_found <= limit)
