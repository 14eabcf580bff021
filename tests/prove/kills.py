"""Real processes, really killed: SIGKILL at any call of any function, then `resume`, on a real disk.

A forked process counts its own calls, of Python and of C, and kills itself at the one that the seed says: before
or after every system call, however busy the machine. A fresh process is killed from outside, by the clock.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from tests.prove.oracle import Violation
from tests.prove.simulation import SHELF

PLAYBOOK = Path(__file__).parent / "small.yaml"
LONGEST = 60.0  # seconds that a child may take


def killed(seed: int, *, fresh: bool = False) -> int:
    """Kill a play of *seed* at a random moment, twice at the most, and resume it; how often it was killed.

    Violation unless it ends as an undisturbed run does, with no effect twice. *fresh* starts a new interpreter
    for each process instead of forking this warm one.
    """
    rng = random.Random(seed)
    # The page cache outlives a SIGKILL, on a disk as in memory; only fresh processes need a disk to be real.
    with tempfile.TemporaryDirectory(prefix="kill-", dir=None if fresh else SHELF) as folder:
        state, kills = Path(folder) / "run.jsonl", 0
        for _ in range(2):
            kills += _spawned_dies(state, rng) if fresh else _forked_dies(state, rng)
        if not _is_finished(state):
            code = _wait(_fork(_arguments(state)))
            if code != 0:
                raise Violation(f"seed {seed}: resume ended with {code}")
        _ended_like_an_undisturbed_run(seed, state)
    return kills


def _arguments(state: Path) -> list[str]:
    if state.exists():
        return ["resume", str(state), "-o", "jsonl"]
    return ["play", str(PLAYBOOK), "--sandbox", "--seed", "7", "--state", str(state), "-o", "jsonl"]


def _forked_dies(state: Path, rng: random.Random) -> bool:
    if _is_finished(state):
        return False
    at = rng.randrange(1, calls_of_a_play())
    return _wait(_fork(_arguments(state), at)) == -signal.SIGKILL


def _spawned_dies(state: Path, rng: random.Random) -> bool:
    if _is_finished(state):
        return False
    return _kill(_spawn(_arguments(state)), rng.uniform(0.05, 0.8 * seconds_of_a_play()))


@cache
def calls_of_a_play() -> int:
    """How many calls an undisturbed play makes once everything is imported."""
    with tempfile.TemporaryDirectory(prefix="kill-", dir=SHELF) as folder:
        reads, writes = os.pipe()
        _wait(_fork(_arguments(Path(folder) / "run.jsonl"), tell=writes))
        os.close(writes)
        with os.fdopen(reads) as pipe:
            return int(pipe.read())


@cache
def seconds_of_a_play() -> float:
    """How long an undisturbed play in a fresh process takes on this machine, now."""
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        began = time.monotonic()
        _wait(_spawn(_arguments(Path(folder) / "run.jsonl")))
        return time.monotonic() - began


def _fork(arguments: Sequence[str], at: int = 0, tell: int | None = None) -> int:
    """A child that plays; it kills itself at its *at*-th call, or writes to *tell* how many it made."""
    run = _warm()
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        calls = _Calls(at)
        sys.setprofile(calls)
        code = run(list(arguments))
        sys.setprofile(None)
        if tell is not None:
            os.write(tell, str(calls.made).encode())
        os._exit(code)
    os._exit(99)


@cache
def _warm() -> Callable[[list[str]], int]:
    """Everything is imported once, here, so that no child dies in an import."""
    import runner

    for found in pkgutil.walk_packages(runner.__path__, "runner."):
        if not found.name.endswith("__main__") and not found.name.startswith("runner.adapters"):
            importlib.import_module(found.name)
    from runner.cli.entry import run

    return run


class _Calls:
    """Counts calls and returns; dies at one of them."""

    def __init__(self, at: int) -> None:
        self.at, self.made = at, 0

    def __call__(self, *_: object) -> None:
        self.made += 1
        if self.made == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def _spawn(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "runner", *arguments]
    process = subprocess.Popen(command, stdin=-3, stdout=-3, stderr=-3)
    process.returncode = 0  # waited for by its number, below
    return process.pid


def _kill(child: int, after: float) -> bool:
    """Whether the child was still there to be killed."""
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _wait(child: int) -> int:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise Violation("a process hung")


def _is_finished(state: Path) -> bool:
    return state.exists() and '"event":"run.finished"' in state.read_text().splitlines()[-1]


def _ended_like_an_undisturbed_run(seed: int, state: Path) -> None:
    events = [json.loads(line) for line in state.read_text().splitlines()]
    last = events[-1]
    if last["event"] != "run.finished" or last["splits"] != {"reviews": {"v3": 100}}:
        raise Violation(f"seed {seed}: ended with {last}")
    done = Counter(json.dumps(event["ref"]) for event in events if event["event"] == "effect.done")
    world = [json.loads(line) for line in Path(f"{state}.world").read_text().splitlines()[1:]]
    writes = sum("op" in line and line["op"] != "stage" for line in world)
    if max(done.values()) > 1 or writes != len(done):
        raise Violation(f"seed {seed}: {writes} writes for {len(done)} effects, {done}")
