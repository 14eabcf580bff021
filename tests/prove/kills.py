"""Real processes, really killed: SIGKILL at a random moment of a play, then `resume`, on a real disk."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.prove.oracle import Violation

PLAYBOOK = Path(__file__).parent / "small.yaml"
LONGEST = 60.0  # seconds that a child may take


def killed(seed: int, *, fresh: bool = False) -> int:
    """Kill a play of *seed* at a random moment, twice at the most, and resume it; how often it was killed.

    Violation unless it ends as an undisturbed run does, with no effect twice. *fresh* starts a new interpreter
    for each process instead of forking this warm one.
    """
    rng = random.Random(seed)
    start = _spawn if fresh else _fork
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        state, kills = Path(folder) / "run.jsonl", 0
        arguments = ["play", str(PLAYBOOK), "--sandbox", "--seed", "7", "--state", str(state), "-o", "jsonl"]
        for _ in range(2):
            if _kill(start(arguments), rng.uniform(0.0, 0.9 if fresh else 0.3)):
                kills += 1
            arguments = ["resume", str(state), "-o", "jsonl"] if state.exists() else arguments
        if not _is_finished(state):
            arguments = ["resume", str(state), "-o", "jsonl"] if state.exists() else arguments
            code = _wait(start(arguments))
            if code != 0:
                raise Violation(f"seed {seed}: resume ended with {code}")
        _ended_like_an_undisturbed_run(seed, state)
    return kills


def _fork(arguments: Sequence[str]) -> int:
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        from runner.cli.entry import run

        os._exit(run(list(arguments)))
    os._exit(99)


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
    writes = sum("op" in line and line["op"] not in ("stage",) for line in world)
    if max(done.values()) > 1 or writes != len(done):
        raise Violation(f"seed {seed}: {writes} writes for {len(done)} effects, {done}")
