"""State files that were changed: every bit, every line, every truncation."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from runner.engine.events import MeasurementTaken
from runner.errors import ExitCode, RunnerError
from runner.journal import JournalFile, read
from runner.model.checks import Verdict
from runner.model.stages import Verify
from tests.prove.faults import Fate
from tests.prove.oracle import Violation
from tests.prove.simulation import Run, private_folder
from tests.prove.stories import STORIES, V1, Story


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
    """(story, bit) for every bit of the shortest state file."""
    story = min(range(len(STORIES)), key=lambda number: len(whole(number)))
    return ((story, bit) for bit in range(len(whole(story)) * 8))


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
    """(story, line): every line of the state files of five stories, which is to be cut at each of its bytes."""
    for story in (0, 1, 2, 4, 6):
        yield from ((story, line) for line in range(whole(story).count(b"\n")))


def truncated(story: int, line: int) -> int:
    """A record that ends within its *line*-th line, the world as it is; how many such records there are.

    All that `resume` takes from the file are the bytes that it keeps of it. So each of the cuts is opened for
    good, and those that keep something else than the first, and three in any case, are played to their end.
    """
    data = whole(story)
    rows = data.splitlines(keepends=True)
    start = sum(len(row) for row in rows[:line])
    cuts = range(start, start + len(rows[line]))
    first = _kept(data[:start])
    for size in cuts:
        if size in (cuts[0], cuts[len(cuts) // 2], cuts[-1]) or _kept(data[:size]) != first:
            cut_at(story, size)
    return len(cuts)


def _kept(data: bytes) -> bytes | None:
    """What `resume` keeps of a state file; None where it refuses it."""
    with private_folder() as folder:
        path = folder / "r1.jsonl"
        path.write_bytes(data)
        try:
            journal, _ = JournalFile.resume(path)
        except RunnerError as error:
            if error.exit_code != ExitCode.DISAGREEMENT or path.read_bytes() != data:
                raise Violation(f"{len(data)} bytes: exit {error.exit_code}: {error.message}") from error
            return None
        journal.close()
        return path.read_bytes()


def cut_at(story: int, size: int) -> None:
    """A shorter record, the world as it is: ends like the undisturbed run or in an explicit stop.

    Violation where traffic is moved again in any other way than back, or a release ends well unverified.
    """
    told: Story = STORIES[story]
    with private_folder() as folder:
        run = Run(told, _quiet(), folder)
        run.process()
        splits = len(run.oracle.weights)
        run.path.write_bytes(whole(story)[:size])
        stop = run.process()
        if stop is None:
            raise Violation(f"{size} bytes: the process died")
        if stop.code not in (told.code, 1, 3, 7):
            raise Violation(f"{size} bytes: exit {stop.code}: {stop.reason}")
        _moved_no_more(run, splits, size)
        _every_verify_passed(run, told, stop.code, size)
        run.oracle.ended(stop.code, run.live(), told.goal)


def _moved_no_more(run: Run, before: int, size: int) -> None:
    """The traffic was where the run had left it: a write that moves it is an effect done twice."""
    last = run.oracle.weights[before - 1]
    for weights in run.oracle.weights[before:]:
        if weights != last and not (run.oracle.rolled_back() and weights == V1):
            raise Violation(f"{size} bytes: moved again, from {last} to {weights}")
        last = weights


def _every_verify_passed(run: Run, told: Story, code: int, size: int) -> None:
    if code != 0 or told.code != 0:
        return
    for stage in told.playbook.stages:
        if isinstance(stage.kind, Verify):
            passed = [
                event
                for event in run.oracle.journal
                if isinstance(event, MeasurementTaken)
                and event.stage == stage.name
                and event.verdict is Verdict.PASSED
            ]
            if len(passed) < stage.kind.count:
                raise Violation(f"{size} bytes: {stage.name!r} was skipped")
