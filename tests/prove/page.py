"""The page that a proof writes about itself."""

import multiprocessing
import platform
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.prove.catalogue import GATES, Gate


@dataclass
class Result:
    """What one gate came to; *skipped* says why it could not be played."""

    gate: Gate
    played: int
    seconds: float
    counted: dict[str, float]
    broken: list[str]
    skipped: str = ""


@dataclass(frozen=True)
class Proof:
    """What was proved, how much of it was played, and which seeds were new."""

    commit: str
    share: float
    fresh: int


def line(result: Result) -> str:
    """One gate for a terminal."""
    if result.skipped:
        return f"{result.gate.name:<17} not played: {result.skipped}"
    verdict = "no promise broken" if not result.broken else f"{len(result.broken)} BROKEN"
    return f"{result.gate.name:<17} {result.played:>7,} in {result.seconds:6.0f} s  {verdict}  {_counted(result)}"


def _counted(result: Result) -> str:
    if result.skipped:
        return f"not played: {result.skipped}"
    if result.gate.listed:
        return ""
    return ", ".join(f"{value:,.0f} {name}" for name, value in result.counted.items())


def _row(result: Result, proof: Proof) -> str:
    cells = (
        result.gate.name,
        result.gate.says,
        f"{result.played:,}",
        _counted(result),
        f"{len(result.broken)}",
        f"{result.seconds:,.0f}",
        f"{proof.share:g}",
        f"{proof.fresh}",
        proof.commit,
    )
    return f"| {' | '.join(cells)} |"


def _rows(before: str) -> dict[str, str]:
    """The rows of the page as it was, by gate."""
    names = {gate.name for gate in GATES}
    cut = ((line.split("|")[1].strip(), line) for line in before.splitlines() if line.startswith("| "))
    return {name: row for name, row in cut if name in names}


def _list(result: Result) -> str:
    """A table of the figures that are listed apart."""
    rows = "\n".join(f"| {name} | {value:,.0f} |" for name, value in sorted(result.counted.items()))
    return f"\n## {result.gate.says[:1].upper()}{result.gate.says[1:]}\n\n| | {result.gate.listed} |\n|---|---|\n{rows}\n"


def _lists(results: Sequence[Result], before: str) -> str:
    if found := [_list(result) for result in results if result.gate.listed and result.counted]:
        return "".join(found)
    _, heading, rest = before.partition("\n## ")
    return heading + rest


def page(results: Sequence[Result], proof: Proof, before: str = "") -> str:
    """The proof's figures in Markdown; gates that were not played keep their rows of the page *before*."""
    found = {**_rows(before), **{result.gate.name: _row(result, proof) for result in results}}
    rows = [found[gate.name] for gate in GATES if gate.name in found]
    seconds = sum(float(row.split("|")[6].replace(",", "")) for row in rows)
    return f"""# The proof's figures

Written by `make prove`, and anew for one gate by `python -m tests.prove GATE --write`; never by hand. What the promises are, and
what each gate is for: [promises](../explanation/promises.md).

- written on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds / 60:.0f} minutes in all
- Python {platform.python_version()}, {platform.system()} {platform.release()}, {multiprocessing.cpu_count()} cores,
  {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MiB at most
- share 1 is the whole; a fifth of the seeds are the same in every run, the others count from the number given

| gate | what is played | played | figures | broken | seconds | share | seeds from | commit |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
{_lists(results, before)}"""
