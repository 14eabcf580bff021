"""Real processes, really killed: SIGKILL at any call of any function, then `resume`, on a real disk.

A forked process counts its own calls, of Python and of C, and kills itself at the one that the seed says: before
or after every system call, however busy the machine. A fresh process is killed from outside, as soon as its state
file has as many lines as the seed says.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.prove.oracle import Violation
from tests.prove.processes import (
    LONGEST,
    arguments,
    ended_as_promised,
    fork,
    is_finished,
    spawn,
    wait,
    whole_lines,
)
from tests.prove.simulation import SHELF

LINES = 40  # of the 47 that a play writes: with fewer to come the kill may be too late
TRIES = 20


def killed(seed: int, *, fresh: bool = False) -> int:
    """Kill a play of *seed* at a random moment, twice at the most, and resume it; how often it was killed.

    Violation unless it ends as an undisturbed run does, with no effect twice. *fresh* starts a new interpreter
    for each process instead of forking this warm one.
    """
    rng = random.Random(seed)
    for _ in range(TRIES):
        # The page cache outlives a SIGKILL, on a disk as in memory; only fresh processes need a disk to be real.
        with tempfile.TemporaryDirectory(prefix="kill-", dir=None if fresh else SHELF) as folder:
            kills = _killed(Path(folder) / "run.jsonl", rng, fresh=fresh)
        if kills:
            return kills
    raise Violation(f"seed {seed}: {TRIES} processes ended before they could be killed")


def _killed(state: Path, rng: random.Random, *, fresh: bool) -> int:
    kills = 0
    for _ in range(2):
        kills += _spawned_dies(state, rng) if fresh else _forked_dies(state, rng)
    if not is_finished(state):
        code = wait(fork(arguments(state)))
        if code != 0:
            raise Violation(f"resume ended with {code}")
    ended_as_promised(state)
    return kills


def _forked_dies(state: Path, rng: random.Random) -> bool:
    if is_finished(state):
        return False
    at = rng.randrange(1, calls_of_a_play())
    return wait(fork(arguments(state), lambda play: _counting(_Calls(at), play))) == -signal.SIGKILL


def _spawned_dies(state: Path, rng: random.Random) -> bool:
    if is_finished(state):
        return False
    known = len(whole_lines(state))  # more than LINES where a busy machine let the first kill come late
    lines = rng.randint(min(known, LINES), LINES)
    return _kill_at(spawn(arguments(state)), state, lines, rng.uniform(0.0, 0.15))


@cache
def calls_of_a_play() -> int:
    """How many calls an undisturbed play makes once everything is imported."""
    reads, writes = os.pipe()

    def told(play: Callable[[], int]) -> int:
        calls = _Calls(0)
        code = _counting(calls, play)
        os.write(writes, str(calls.made).encode())
        return code

    with tempfile.TemporaryDirectory(prefix="kill-", dir=SHELF) as folder:
        wait(fork(arguments(Path(folder) / "run.jsonl"), told))
    os.close(writes)
    with os.fdopen(reads) as pipe:
        return int(pipe.read())


class _Calls:
    """Counts calls and returns; dies at one of them."""

    def __init__(self, at: int) -> None:
        self.at, self.made = at, 0

    def __call__(self, *_: object) -> None:
        self.made += 1
        if self.made == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def _counting(calls: _Calls, play: Callable[[], int]) -> int:
    sys.setprofile(calls)
    try:
        return play()
    finally:
        sys.setprofile(None)


def _kill_at(child: int, state: Path, lines: int, after: float) -> bool:
    """Whether the child could be killed when *state* had *lines*; it has none until some time *after* the start."""
    until = time.monotonic() + LONGEST
    while len(whole_lines(state)) < lines and time.monotonic() < until:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return False
        time.sleep(0.001)
    if not lines:
        time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return wait(child) == -signal.SIGKILL
