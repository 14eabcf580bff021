"""`python -m tests.prove`: every gate with its figures; `--share 0.1` plays a tenth, `--write` publishes them."""

import argparse
import multiprocessing
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes.hearing import pass_on_no_deafness
from tests.prove.catalogue import EVERY, GATES, Draw, Gate, gate_of
from tests.prove.page import Proof, Result, line, page

ROOT = Path(__file__).parents[2]
WORKERS = 3  # one more than cores: some gates wait for processes and disks
PAGE = ROOT / "docs" / "reference" / "proof.md"


def _one(job: tuple[str, tuple[Any, ...]]) -> tuple[dict[str, float], str | None]:
    name, item = job
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which a pool ends its workers
    try:
        return dict(gate_of(name).play(*item) or {}), None
    except AssertionError as error:
        return {}, f"{item}: {error}"
    except Exception as error:
        return {}, f"{item}: {type(error).__name__}: {error}"


def run(gate: Gate, draw: Draw, pool: Any) -> Result:
    """Play what *draw* says of *gate*."""
    began, counted, broken = time.monotonic(), dict[str, float](), []
    items = [(gate.name, item) for item in gate.drawn(draw)]
    for figures, wrong in pool.imap_unordered(_one, items, chunksize=max(min(len(items) // 200, 500), 1)):
        for name, value in figures.items():
            counted[name] = counted.get(name, 0) + value
        if wrong is not None:
            broken.append(wrong)
    return Result(gate, len(items), time.monotonic() - began, counted, broken)


def _result(gate: Gate, asked: argparse.Namespace, pool: Any) -> Result:
    """What *gate* came to, if it can be played here; a whole proof must have counted enough."""
    if reason := gate.missing():
        return Result(gate, 0, 0.0, {}, [], reason)
    result = run(gate, _draw(gate, asked, asked.fresh), pool)
    if asked.share >= 1:
        result.broken += gate.too_few(result.counted)
    return result


def _draw(gate: Gate, asked: argparse.Namespace, fresh: int) -> Draw:
    """A share of the whole; a gate that plays every item there is has its share of those."""
    whole = gate.night if asked.night else gate.full
    if whole == EVERY and asked.share < 1 and gate.name != "sabotages":
        whole = len(list(gate.items(Draw(EVERY, fresh))))
    return Draw(max(int(whole * asked.share), 1), fresh)


def main(arguments: Sequence[str]) -> int:
    """Every gate, or those named; 1 when any promise broke."""
    pass_on_no_deafness()
    commit = _commit()
    asked = _asked(arguments, commit)
    unknown = set(asked.gates) - {gate.name for gate in GATES}
    if unknown:
        print(f"there is no gate {', '.join(sorted(unknown))}; those there are: {_names()}", file=sys.stderr)
        return 2
    print(f"fresh seeds count from {asked.fresh}; to play them again: --fresh {asked.fresh}", flush=True)
    results = []
    with multiprocessing.get_context("fork").Pool(WORKERS, maxtasksperchild=200) as pool:
        for gate in GATES:
            if not asked.gates or gate.name in asked.gates:
                results.append(_result(gate, asked, pool))
                print("\n    ".join([line(results[-1]), *results[-1].broken[:5]]), flush=True)
    if asked.write:
        proof, before = Proof(commit, asked.share, asked.fresh), PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page(results, proof, before if asked.gates else ""), encoding="utf-8")
    broken = sum(len(result.broken) for result in results)
    print(f"{sum(result.played for result in results) - broken} passed, {broken} failed")
    return 1 if broken else 0


def _asked(arguments: Sequence[str], commit: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("gates", nargs="*", help=f"any of: {_names()}")
    parser.add_argument("--share", type=float, default=1.0, help="the part of each gate's figures to play")
    parser.add_argument("--night", action="store_true", help="a night's figures instead of a proof's")
    parser.add_argument(
        "--fresh",
        type=int,
        default=fresh_seed(commit),
        help="the first fresh seed (default: of day and commit)",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"publish the figures in {PAGE.relative_to(ROOT)}"
    )
    return parser.parse_args(arguments)


def _names() -> str:
    return ", ".join(gate.name for gate in GATES)


def fresh_seed(commit: str) -> int:
    """Another million of seeds for each day and each commit."""
    day = datetime.now(UTC).toordinal()
    return (day * 10_000 + zlib.crc32(commit.encode()) % 10_000) * 1_000_000


def _commit() -> str:
    """What is proved: the commit, and whether files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
