"""Faults of single system calls on the state file of a real process, one at a time, injected by strace.

Every call that a play, a resume and a rollback make on the state file, and on what lies beside it, fails once,
or kills the process. Afterwards the state file is there whole or not at all, nothing was written to the world
that was not intended in it first, the process has said in words what was wrong, and whoever goes on ends where
an undisturbed run ends.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from runner.errors import RunnerError
from runner.journal import read
from tests.prove.oracle import Violation
from tests.prove.processes import (
    COMMANDS,
    PLAYBOOK,
    begun,
    ended_as_promised,
    fork,
    goal_of,
    is_finished,
    wait,
    whole_lines,
    words_of,
    writes_in,
)
from tests.prove.simulation import SHELF

CALLS = (
    "openat",
    "read",
    "write",
    "fsync",
    "fdatasync",
    "close",
    "ftruncate",
    "flock",
    "fchmod",
    "link",
    "unlink",
)
ERRORS = ("EIO", "ENOSPC", "EINTR", "KILL")
AGAIN = {
    "openat",
    "read",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "flock",
    "fchmod",
}  # after EINTR (PEP 475)
BESIDE = ("", ".new", ".lock", ".holder")
LONGEST = 60.0
Case = tuple[str, str, str, int]


def missing() -> str:
    """Why no fault can be injected here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine does not let strace trace"


def cases() -> Iterator[Case]:
    """Command, call, error, and which of its calls it is; one more than there are shows that there are no more."""
    for command in COMMANDS:
        made = calls_of(command)
        for call in CALLS:
            for error in ERRORS:
                yield from ((command, call, error, at) for at in range(1, made[call] + 2 * bool(made[call])))


@cache
def calls_of(command: str) -> Counter[str]:
    """How often an undisturbed *command* makes each call on the state file and what lies beside it."""
    with tempfile.TemporaryDirectory(prefix="calls-", dir=SHELF) as folder:
        state = begun(command, _empty(Path(folder) / "state"))
        _traced(command, state, None)
        return Counter(re.findall(r"^\d+ +(\w+)\(", (state.parents[1] / "trace").read_text(), re.MULTILINE))


def faulted(command: str, call: str, error: str, at: int) -> dict[str, int]:
    """Play *command* with one fault, look at what it left, go on, and look again; whether the fault was met."""
    with tempfile.TemporaryDirectory(prefix="calls-", dir=SHELF) as folder:
        state = begun(command, _empty(Path(folder) / "state"))
        before = state.read_bytes() if state.exists() else b""
        done = _traced(command, state, f"{call}:{_fault(error)}:when={at}")
        met = _was_met(state.parents[1] / "trace", error)
        _is_whole(state, before)
        _nothing_without_intent(state)
        _ended_in_words(state, done, (command, call, error, at), met=met)
        _goes_on(command, state)
    return {"faults met": int(met), "calls run out": int(not met)}


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _fault(error: str) -> str:
    return "signal=KILL" if error == "KILL" else f"error={error}"


def _traced(command: str, state: Path, fault: str | None) -> "subprocess.CompletedProcess[str]":
    paths = [word for suffix in BESIDE for word in ("-P", f"{state}{suffix}")]
    inject = [] if fault is None else ["-e", f"inject={fault}"]
    tracing = ["strace", "-qq", "-f", "-o", str(state.parents[1] / "trace"), *paths, "-P", str(state.parent)]
    play = [sys.executable, "-m", "runner", *words_of(command, state)]
    return subprocess.run(
        [*tracing, "-e", f"trace={','.join(CALLS)}", *inject, *play],
        cwd=PLAYBOOK.parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )


def _was_met(trace: Path, error: str) -> bool:
    text = trace.read_text(encoding="utf-8", errors="replace")
    return "+++ killed by SIGKILL +++" in text if error == "KILL" else "(INJECTED)" in text


def _is_whole(state: Path, before: bytes) -> None:
    """The state file as it was, or gone on with; never neither, and never without its first line."""
    if not state.exists():
        if before:
            raise Violation("the state file is gone")
        return
    try:
        read(state)
    except RunnerError as error:
        raise Violation(f"the state file is damaged: {error.message}") from error
    kept = before[: before.rfind(b"\n") + 1]
    if not state.read_bytes().startswith(kept):
        raise Violation("what was in the state file is not there any more")


def _nothing_without_intent(state: Path) -> None:
    """Every write in the world was intended in the journal before."""
    events = map(json.loads, whole_lines(state))
    intended = sum(event["event"] == "effect.intended" for event in events)
    if len(writes_in(state)) > intended:
        raise Violation(f"{writes_in(state)} was written, {intended} effects were intended")


def _ended_in_words(state: Path, done: "subprocess.CompletedProcess[str]", case: Case, *, met: bool) -> None:
    command, call, error, _ = case
    said = done.stdout + done.stderr
    if "Traceback" in said or "a bug of its own" in said:
        raise Violation(f"no words: {said[-600:]}")
    if error == "KILL" and met:
        expected = {-9}
    elif not met or (error == "EINTR" and call in AGAIN):
        expected = {0}
    else:
        expected = {0, 1, 4} if command == "rollback" else {0, 1}
    if done.returncode not in expected:
        raise Violation(f"ended with {done.returncode}, not in {expected}: {said[-600:]}")
    if done.returncode == 0 and not is_finished(state):
        raise Violation("ended with 0, and the run is not finished")
    if done.returncode > 0:
        _is_told(state, done.stderr)


def _is_told(state: Path, said: str) -> None:
    """Which file, and whether somebody has to look after the canary now."""
    if not re.search(r"^error: .*run\.jsonl", said, re.MULTILINE):
        raise Violation(f"nothing said of the state file: {said[-600:]}")
    if "cannot be read" in said and "runner rollback --route" in said:
        return  # where the canary is nobody can know, but how to go back
    last = said.splitlines()[-1]
    share = _share(state)
    if 0 < share < 100 and not re.match(rf"{share} % of reviews (is|may be) on v3 and nobody", last):
        raise Violation(f"nothing said of the canary: {last}")


def _share(state: Path) -> int:
    """What the canary has of the world's traffic."""
    for write in reversed(writes_in(state)):
        if write["object"]["kind"] == "VirtualService":
            (http,) = write["object"]["spec"]["http"]
            weights = {way["destination"]["subset"]: way.get("weight", 0) for way in http["route"]}
            return int(weights.get("v3", 0))
    return 0


def _goes_on(command: str, state: Path) -> None:
    """Without faults, what was begun ends as it would have."""
    code = 0 if is_finished(state) else wait(fork(words_of(command, state)))
    if code != 0:
        raise Violation(f"going on ended with {code}")
    ended_as_promised(state, goal_of(command))
