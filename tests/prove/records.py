"""State files that were changed: every bit, every line, every truncation."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from runner.errors import RunnerError
from runner.journal import read
from tests.prove.faults import Fate
from tests.prove.oracle import Violation
from tests.prove.simulation import Run, private_folder
from tests.prove.stories import STORIES, Story


@cache
def whole(story: int) -> bytes:
    """The state file of an undisturbed run."""
    with private_folder() as folder:
        run = Run(STORIES[story], _quiet(), folder)
        run.process()
        return run.path.read_bytes()


def _quiet() -> Fate:
    import random

    return Fate(random.Random(0), {}, left=0)


def flips() -> Iterator[tuple[int, int]]:
    """(story, bit) for every bit of the shortest state files."""
    for story in (0, 7):
        yield from ((story, bit) for bit in range(len(whole(story)) * 8))


def flipped(story: int, bit: int) -> None:
    """Violation when a state file with one bit changed is believed."""
    changed = bytearray(whole(story))
    changed[bit // 8] ^= 1 << bit % 8
    _refused(bytes(changed), f"bit {bit}")


def lines() -> Iterator[tuple[int, str, int]]:
    """(story, change, line): every line dropped, repeated or swapped with the next."""
    for story in range(len(STORIES)):
        count = whole(story).count(b"\n")
        for change in ("drop", "repeat", "swap"):
            yield from ((story, change, n) for n in range(count - 1))


def reordered(story: int, change: str, n: int) -> None:
    """Violation when a state file whose lines were changed is believed."""
    rows = whole(story).splitlines(keepends=True)
    changed = {
        "drop": [*rows[:n], *rows[n + 1 :]],
        "repeat": [*rows[: n + 1], *rows[n:]],
        "swap": [*rows[:n], rows[n + 1], rows[n], *rows[n + 2 :]],
    }[change]
    _refused(b"".join(changed), f"{change} {n}")


def _refused(data: bytes, what: str) -> None:
    with private_folder() as folder:
        path: Path = folder / "r1.jsonl"
        path.write_bytes(data)
        try:
            read(path)
        except RunnerError:
            return
    raise Violation(f"{what}: believed")


def truncations() -> Iterator[tuple[int, int]]:
    """(story, bytes): every length of the state files of two stories."""
    for story in (0, 1):
        yield from ((story, size) for size in range(1, len(whole(story)), 7))


def truncated(story: int, size: int) -> None:
    """A shorter record, the world as it is: ends like the undisturbed run or in an explicit stop, with no effect twice."""
    told: Story = STORIES[story]
    with private_folder() as folder:
        run = Run(told, _quiet(), folder)
        run.process()
        writes = run.oracle.writes
        run.path.write_bytes(whole(story)[:size])
        stop = run.process()
        if stop is None:
            raise Violation(f"{size} bytes: the process died")
        seals = 1
        if stop.code == told.code and run.oracle.writes > writes + seals + _promotes(told):
            raise Violation(f"{size} bytes: {run.oracle.writes - writes} more writes")
        if stop.code not in (told.code, 1, 3, 7):
            raise Violation(f"{size} bytes: exit {stop.code}: {stop.reason}")
        run.oracle.ended(stop.code, run.live(), told.goal)


def _promotes(story: Story) -> int:
    """Promoting twice writes the marker twice, and no weight."""
    return 1 if story.code == 0 else 0
