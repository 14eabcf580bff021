"""Signals at every line of a run: its exit code, its last words, and that the commands it prints work when pasted."""

import os
import re
import shlex
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.prove.oracle import Violation
from tests.prove.processes import PLAYBOOK, ended_as_promised, fork, is_finished, wait, whole_lines
from tests.prove.simulation import SHELF

CODES = {"HUP": 129, "INT": 130, "TERM": 143}
LINES = 46  # of the 47 that a play writes
BACK_WITHIN = 7.0  # real seconds from the signal to the end of a rollback
LONGEST = 30.0
SPEED = "400"
Case = tuple[str, str, int]


def cases() -> Iterator[Case]:
    """What the playbook does when it is interrupted, the signals that come, and at which line of the state file."""
    for line in range(1, LINES):
        for sent in ("HUP", "INT", "TERM", "TSTP CONT", "INT INT", "TERM HUP"):
            yield ("hold", sent, line)
        for sent in ("HUP", "INT", "TERM", "TERM TERM"):
            yield ("rollback", sent, line)


def signalled(on_interrupt: str, sent: str, line: int) -> dict[str, int]:
    """Send *sent* when the state file has *line* lines; Violation unless the run ends as the table says."""
    with tempfile.TemporaryDirectory(prefix="signal-", dir=SHELF) as name:
        folder = Path(name)
        state, playbook = folder / "run.jsonl", folder / "small.yaml"
        playbook.write_text(f"{PLAYBOOK.read_text()}onInterrupt: {on_interrupt}\n")
        play = ["play", str(playbook), "--sandbox", "--seed", "7", "--speed", SPEED, "--state", str(state)]
        code, seconds = _sent(fork(play, _told(folder)), state, sent.split(), line)
        if is_finished(state) and code == 0:
            return {"came too late": 1}
        _stopped(folder, state, (on_interrupt, sent, line), code, seconds)
    return {"signals heard": 1}


def _told(folder: Path) -> Callable[[Callable[[], int]], int]:
    """The streams of a child become files of *folder*."""

    def around(play: Callable[[], int]) -> int:
        for number, stream in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / stream, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        return play()

    return around


def _sent(child: int, state: Path, names: list[str], line: int) -> tuple[int, float]:
    """How the child ended, and how long after the first signal."""
    until = time.monotonic() + LONGEST
    while len(whole_lines(state)) < line and time.monotonic() < until:
        time.sleep(0.001)
    began = time.monotonic()
    for name in names:
        os.kill(child, getattr(signal, f"SIG{name}"))
        time.sleep(0.002 * (len(names) > 1))
    return wait(child), time.monotonic() - began


def _stopped(folder: Path, state: Path, case: Case, code: int, seconds: float) -> None:
    on_interrupt, sent, line = case
    out, err = ((folder / stream).read_text() for stream in ("out", "err"))
    if "Traceback" in out + err or "a bug of its own" in out + err:
        raise Violation(f"no words: {(out + err)[-600:]}")
    if line == 1 and not out.strip():
        # Only the start was written, and nobody listened yet.
        return _gone_on_with(["resume", str(state)], state)
    first, *more = sent.split()
    if more == ["CONT"]:
        raise Violation(f"stopped and continued, it ended with {code}")
    # The second signal leaves at once, unless the first has been obeyed by then.
    obeyed = 3 if on_interrupt == "rollback" else CODES[first]
    promoted = {5} if '"promote","attempt"' in state.read_text() else set()
    if code not in {obeyed, *promoted, *(CODES[name] for name in more)}:
        raise Violation(f"{sent} ended with {code}: {(out + err)[-600:]}")
    if code == 3 and seconds > BACK_WITHIN:
        raise Violation(f"the rollback took {seconds:.1f} s")
    if is_finished(state):
        ended_as_promised(state, {"v1": 100} if code == 3 or "Users are back" in out + err else {"v3": 100})
        return
    _pasted(out + err, state, "rollback" if line % 2 or on_interrupt == "rollback" else "resume")


def _pasted(said: str, state: Path, verb: str) -> None:
    """The printed command line, typed as it stands; one of a run that nobody needs to go back from is not printed."""
    printed = re.findall(rf"runner {verb} [^\n`]*?(?=`|   |\n|$)", said)
    if not printed and verb == "rollback":
        return _pasted(said, state, "resume")
    if not printed:
        raise Violation(f"no way on was printed: {said[-600:]}")
    return _gone_on_with(shlex.split(printed[-1])[1:], state)


def _gone_on_with(words: list[str], state: Path) -> None:
    """Violation unless `runner` with *words* takes the run to one of its two ends."""
    code = wait(fork(words))
    if code not in (0, 3):
        raise Violation(f"runner {shlex.join(words)} ended with {code}")
    back = code == 3 or words[0] == "rollback"
    ended_as_promised(state, {"v1": 100} if back else {"v3": 100})
