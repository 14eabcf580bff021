"""What the engine and the journal add to the disk's own price."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from runner.conductor import Conductor, World
from runner.engine.events import RunStarted
from runner.engine.state import begin
from runner.journal.file import JournalFile
from runner.journal.orders import OrdersFile
from runner.model.playbook import Playbook, Target
from runner.model.stages import Apply, Kind, Manifest, Stage, Wait
from runner.stages.kinds import compile_playbook
from tests.bench.measure import Figure, at_most, median, ratio

STAGES = 200
LONG = 10_000
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "bench"}}


class Disk:
    """Numbers the files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = 0

    def next(self) -> Path:
        self.files += 1
        return self.folder / f"bench-{self.files}.jsonl"


class InMemory:
    """A cluster that takes every object, and a clock that stands still: neither costs anything."""

    def now(self) -> float:
        return 1_700_000_000.0

    def sleep_until(self, until: float) -> None:
        return

    def get(self, ref: object) -> dict[str, object]:
        return OBJECT

    def apply(self, manifest: object, *, force: bool = False, dry_run: bool = False) -> object:
        return manifest

    epoch = 1

    def renew(self) -> None:
        return

    def release(self) -> None:
        return


class Stopwatch:
    """Hears when each stage has succeeded."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def heard(self, event: object, line: str) -> None:
        if type(event).__name__ == "StageSucceeded":
            self.ends.append(time.perf_counter())

    def noticed(self, observation: object) -> None:
        return

    def tick(self, now: float) -> None:
        return


def floor(disk: Disk) -> float:
    """Seconds of wall clock for two appends of 256 bytes with fdatasync."""
    descriptor = os.open(disk.next(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.perf_counter()
    for _ in range(2 * STAGES):
        os.write(descriptor, b"x" * 255 + b"\n")
        os.fdatasync(descriptor)
    taken = time.perf_counter() - began
    os.close(descriptor)
    return taken / STAGES


def play(disk: Disk, kind: Kind, stages: int) -> list[float]:
    """When each of *stages* stages of *kind* had ended, in seconds of wall clock."""
    named = tuple(Stage(f"stage {n}", kind) for n in range(stages))
    playbook = Playbook("bench", "1", Target("bench"), (), (), named)
    first = RunStarted(1_700_000_000.0, {}, {}, {}, {}, "")
    path = disk.next()
    journal, _ = JournalFile.create(path, "bench", first)
    watch, outside = Stopwatch(), InMemory()
    world = World(outside, outside, outside, journal, OrdersFile(path), outside, (watch,))  # type: ignore[arg-type]
    stop = Conductor(begin(compile_playbook("bench", playbook)), world).play()
    journal.close()
    assert stop.code == 0, stop.reason
    return watch.ends


def each(disk: Disk, kind: Kind) -> Callable[[], float]:
    """Seconds a stage, over STAGES stages."""

    def taken() -> float:
        ends = play(disk, kind, STAGES)
        return (ends[-1] - ends[0]) / (STAGES - 1)

    return taken


def figures(folder: Path) -> list[Figure]:
    """Per stage against the floor, and the ten thousandth stage against the tenth."""
    disk = Disk(folder)
    effect = Apply((Manifest("one.yaml", OBJECT),), ready=None)
    peer = "two appends with fdatasync (wall)"
    return [
        at_most(
            "engine and journal, a stage without an effect",
            ratio(lambda: floor(disk), each(disk, Wait(0))),
            2,
            peer,
        ),
        at_most(
            "engine and journal, a stage with one effect",
            ratio(lambda: floor(disk), each(disk, effect)),
            2,
            peer,
        ),
        at_most("stages 9,900 to 10,000", median(lambda: late(disk), 3), 1.2, "stages 10 to 110"),
    ]


def late(disk: Disk) -> float:
    """How many times the stages up to 100 cost the stages up to the last, in one run of LONG stages."""
    ends = play(disk, Wait(0), LONG)
    return (ends[-1] - ends[-101]) / (ends[110] - ends[10])
