"""Real processes that play the small release: forked from this warm one, or freshly started; and how it must end."""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.hearing import hear_again
from tests.prove.oracle import Violation
from tests.prove.simulation import SHELF

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(__file__).parent / "small.yaml"
LONGEST = 60.0  # seconds that a child may take
COMMANDS = ("play", "resume", "rollback")
PROMOTED = {"v3": 100}
Files = dict[str, bytes]


def arguments(state: Path) -> list[str]:
    """The command line of whoever finds *state*: go on with what is there, else begin."""
    if state.exists():
        return ["resume", str(state), "-o", "jsonl"]
    return ["play", str(PLAYBOOK), "--sandbox", "--seed", "7", "--state", str(state), "-o", "jsonl"]


def words_of(command: str, state: Path) -> list[str]:
    """The command line that plays *command*."""
    return ["rollback", str(state), "-o", "jsonl"] if command == "rollback" else arguments(state)


def goal_of(command: str) -> dict[str, int]:
    """Where the traffic is when *command* has ended well."""
    return {"v1": 100} if command == "rollback" else PROMOTED


def begun(command: str, folder: Path) -> Path:
    """*folder* as *command* finds it: empty, or with a run that stopped half way, its last line torn."""
    state = folder / "run.jsonl"
    if command != "play":
        for name, data in half_way().items():
            (folder / name).write_bytes(data)
    return state


@cache
def half_way() -> Files:
    """The files of a run that stopped after its soak, with a torn line at the end of its journal."""
    with tempfile.TemporaryDirectory(prefix="half-", dir=SHELF) as folder:
        state = Path(folder) / "run.jsonl"
        code = wait(fork([*arguments(state), "--until", "soak"]))
        if code != 0:
            raise Violation(f"the run that is to be gone on with ended with {code}")
        with state.open("ab") as file:
            file.write(b'{"v":1,"seq":')
        return files_in(Path(folder))


def files_in(folder: Path) -> Files:
    """Every file of *folder* by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fork(words: Sequence[str], around: Callable[[Callable[[], int]], int] = lambda play: play()) -> int:
    """A child that calls `runner` with *words*, inside of *around*, and says nothing; its process id."""
    run = _warm()
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        hear_again()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os._exit(around(lambda: run(list(words))))
    os._exit(99)


@cache
def _warm() -> Callable[[list[str]], int]:
    """Everything is imported once, here, so that no child dies in an import."""
    import runner

    for found in pkgutil.walk_packages(runner.__path__, "runner."):
        if not found.name.endswith("__main__") and not found.name.startswith("runner.adapters"):
            importlib.import_module(found.name)
    from runner.cli.entry import run

    gc.freeze()  # no child copies pages only to count what it will never free
    return run


def spawn(words: Sequence[str]) -> int:
    """A freshly started `runner`; its process id."""
    null = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-m", "runner", *words], stdin=null, stdout=null, stderr=null)
    process.returncode = 0  # waited for by its number
    return process.pid


def wait(child: int) -> int:
    """How the child ended. Violation where it hangs."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise Violation("a process hung")


def is_finished(state: Path) -> bool:
    """Whether the last line of *state* is a run's last word."""
    return state.exists() and '"event":"run.finished"' in whole_lines(state)[-1]


def whole_lines(file: Path) -> list[str]:
    """What an append-only file holds, without a torn end."""
    data = file.read_bytes() if file.exists() else b""
    return data[: data.rfind(b"\n") + 1].decode().splitlines()


def writes_in(state: Path) -> list[dict[str, Any]]:
    """What was written in the world of the run in *state*."""
    effects = map(json.loads, whole_lines(Path(f"{state}.world"))[1:])
    return [effect for effect in effects if effect.get("op", "stage") != "stage"]


def ended_as_promised(state: Path, goal: Mapping[str, int] = PROMOTED) -> None:
    """Violation unless the run ended like an undisturbed one, the traffic at *goal*, with no effect twice."""
    events = [json.loads(line) for line in whole_lines(state)]
    last = events[-1]
    unseen = not last.get("splits") and not writes_in(state)  # it ended before it had looked at the route
    if last["event"] != "run.finished" or not (unseen or last["splits"] == {"reviews": goal}):
        raise Violation(f"ended with {last}")
    refs = {
        name: Counter(json.dumps(event["ref"]) for event in events if event["event"] == f"effect.{name}")
        for name in ("intended", "done")
    }
    # On the way back a write whose outcome nobody knows is not asked for: what follows it is the same.
    most = len(refs["intended"]) if goal != PROMOTED else len(refs["done"])
    if max(refs["done"].values(), default=0) > 1 or not len(refs["done"]) <= len(writes_in(state)) <= most:
        raise Violation(f"{len(writes_in(state))} writes for {refs}")
