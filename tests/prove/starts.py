"""Many processes started at once on one state file: one plays, every other says that it is held."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.prove.oracle import Violation
from tests.prove.processes import begun, ended_as_promised, fork, wait, whole_lines, words_of
from tests.prove.simulation import SHELF

AT_ONCE = 4
REFUSED = {6, 2}  # held, or finished by then


def rounds() -> Iterator[tuple[str, int]]:
    """A hundred starts of each kind."""
    return ((command, number) for command in ("play", "resume") for number in range(100 // AT_ONCE))


def at_once(command: str, number: int) -> dict[str, int]:
    """Start several of *command* in the same moment; Violation unless exactly one plays, and undisturbed."""
    del number
    with tempfile.TemporaryDirectory(prefix="start-", dir=SHELF) as name:
        state = begun(command, Path(name))
        words = words_of(command, state)
        gate, opened = os.pipe()
        children = [
            fork(words, lambda play: (os.close(opened), os.read(gate, 1), play())[-1]) for _ in range(AT_ONCE)
        ]
        for end in (opened, gate):
            os.close(end)  # all of them read its end, and go
        codes = Counter(wait(child) for child in children)
        if codes[0] != 1 or set(codes) - {0} - REFUSED:
            raise Violation(f"{AT_ONCE} were started, they ended with {dict(codes)}")
        if len({json.loads(line)["run"] for line in whole_lines(state)}) != 1:
            raise Violation("two runs in one state file")
        ended_as_promised(state)
    return {"starts": AT_ONCE}
