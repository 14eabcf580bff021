"""`python -m tests.prove`: every gate with its figures; `--share 0.1` plays a tenth, `--write` publishes them."""

import argparse
import multiprocessing
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.prove import contenders, fuzz, gates, kills, records, sabotage
from tests.prove.oracle import Violation

ROOT = Path(__file__).parents[2]
EVERY = 1_000_000  # more than there are
PAGE = ROOT / "docs" / "reference" / "proof.md"


@dataclass(frozen=True)
class Gate:
    """What is played, how often in full, and what a person reads of it."""

    name: str
    says: str
    play: Callable[..., Any]
    items: Callable[[int], Iterable[tuple[Any, ...]]]
    full: int


def _seeds(count: int) -> Iterable[tuple[int]]:
    return ((seed,) for seed in range(count))


def _some(every: Iterable[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    found = list(every)
    random.Random(1).shuffle(found)
    return found[:count]


def _crashes(count: int) -> list[tuple[Any, ...]]:
    points = list(gates.crash_points())
    tears = -(-count // len(points))
    return _some(((*point, tear) for point in points for tear in range(tears)), count)


def _sabotaged(name: str) -> None:
    if sabotage.caught(name, 2000) is None:
        raise Violation(f"sabotage {name!r} was not noticed")


GATES = (
    Gate(
        "histories",
        "random histories: crashes, power loss, lost answers, API and Prometheus faults, edits, aborts, gaps",
        gates.random_history,
        _seeds,
        30_000,
    ),
    Gate(
        "crash points",
        "a crash at every moment of eight releases, with torn appends",
        gates.crash_at,
        _crashes,
        10_300,
    ),
    Gate(
        "api faults",
        "every API call of every story x 18 faults x {once, third, always}",
        gates.api_fault,
        lambda n: _some(gates.api_matrix(), n),
        EVERY,
    ),
    Gate(
        "disturbances",
        "abort, rollback, pause, an edit and expired credentials before every turn",
        gates.disturbed,
        lambda n: _some(gates.disturbances(), n),
        EVERY,
    ),
    Gate(
        "rivals",
        "two processes at one route, one stalled in the middle of a write",
        gates.rivals,
        _seeds,
        5_000,
    ),
    Gate(
        "contenders",
        "two or three processes of one or two runs, with real leases, clocks that are hours apart, and sleep in the middle of writes",
        contenders.contended,
        _seeds,
        1_000,
    ),
    Gate(
        "bit flips",
        "one bit of a state file changed",
        records.flipped,
        lambda n: _some(records.flips(), n),
        400_000,
    ),
    Gate(
        "changed lines",
        "a line of a state file dropped, repeated or swapped",
        records.reordered,
        lambda n: _some(records.lines(), n),
        2_000,
    ),
    Gate(
        "truncations",
        "a state file cut at every seventh byte, then resumed",
        records.truncated,
        lambda n: _some(records.truncations(), n),
        6_000,
    ),
    Gate("fuzzed playbooks", "playbooks mutated at random, validated", fuzz.fuzzed, _seeds, 10_000),
    Gate("kills", "real SIGKILLs of forked processes at any call, then resume", kills.killed, _seeds, 1_100),
    Gate(
        "fresh kills",
        "real SIGKILLs of freshly started processes, by the clock, on a disk",
        lambda seed: kills.killed(seed, fresh=True),
        _seeds,
        220,
    ),
    Gate(
        "sabotages",
        "safeguards taken out, each noticed",
        _sabotaged,
        lambda n: [(name,) for name in sabotage.SABOTAGES],
        len(sabotage.SABOTAGES),
    ),
)


@dataclass
class Result:
    """What one gate came to."""

    gate: Gate
    played: int
    seconds: float
    counted: dict[str, float]
    broken: list[str]


def _one(job: tuple[str, tuple[Any, ...]]) -> tuple[dict[str, float], str | None]:
    name, item = job
    gate = next(gate for gate in GATES if gate.name == name)
    try:
        came = gate.play(*item)
    except AssertionError as error:
        return {}, f"{item}: {error}"
    except Exception as error:
        return {}, f"{item}: {type(error).__name__}: {error}"
    if isinstance(came, gates.History):
        return {"crashes": came.crashes, "effects": came.effects, "simulated days": came.days}, None
    return ({"kills": came} if name.endswith("kills") else {}), None


def run(gate: Gate, share: float, pool: Any) -> Result:
    """Play *share* of a gate."""
    count = gate.full if gate.name == "sabotages" else max(int(gate.full * share), 1)
    if gate.full == EVERY:
        every = list(gate.items(EVERY))
        count = max(int(len(every) * share), 1)
        items = [(gate.name, item) for item in every[:count]]
    else:
        items = [(gate.name, item) for item in gate.items(count)]
    began, counted, broken = time.monotonic(), {}, []
    for figures, wrong in pool.imap_unordered(_one, items, chunksize=max(len(items) // 200, 1)):
        for name, value in figures.items():
            counted[name] = counted.get(name, 0) + value
        if wrong is not None:
            broken.append(wrong)
    return Result(gate, len(items), time.monotonic() - began, counted, broken)


def main(arguments: Sequence[str]) -> int:
    """Every gate, or those named; 1 when any promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("gates", nargs="*", help=f"any of: {', '.join(gate.name for gate in GATES)}")
    parser.add_argument("--share", type=float, default=1.0, help="the part of each gate's figures to play")
    parser.add_argument(
        "--write", action="store_true", help=f"publish the figures in {PAGE.relative_to(ROOT)}"
    )
    asked = parser.parse_args(arguments)
    chosen = [gate for gate in GATES if not asked.gates or gate.name in asked.gates]
    results, commit = [], _commit()
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=200) as pool:
        for gate in chosen:
            results.append(run(gate, asked.share, pool))
            print(_line(results[-1]), flush=True)
            for wrong in results[-1].broken[:5]:
                print(f"    {wrong}", flush=True)
    if asked.write:
        PAGE.write_text(_page(results, commit, asked.share), encoding="utf-8")
    broken = sum(len(result.broken) for result in results)
    print(f"{sum(result.played for result in results) - broken} passed, {broken} failed")
    return 1 if broken else 0


def _line(result: Result) -> str:
    counted = ", ".join(f"{value:,.0f} {name}" for name, value in result.counted.items())
    verdict = "no promise broken" if not result.broken else f"{len(result.broken)} BROKEN"
    return f"{result.gate.name:<17} {result.played:>7,} in {result.seconds:6.0f} s  {verdict}  {counted}"


def _commit() -> str:
    """What is proved: the commit, and whether files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _page(results: Sequence[Result], commit: str, share: float) -> str:
    rows = "\n".join(
        f"| {r.gate.name} | {r.gate.says} | {r.played:,} | {', '.join(f'{v:,.0f} {n}' for n, v in r.counted.items())} |"
        f" {len(r.broken)} | {r.seconds:,.0f} |"
        for r in results
    )
    return f"""# The proof's figures

Written by `make prove`; never by hand. What the promises are, and what each gate is for: [promises](../explanation/promises.md).

- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC
- commit: {commit}
- share of the full figures: {share:g}
- Python {platform.python_version()}, {platform.system()} {platform.release()}, {multiprocessing.cpu_count()} cores,
  {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MiB at most

| gate | what is played | played | figures | broken | seconds |
|---|---|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
