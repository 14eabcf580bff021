"""The page that a proof writes about itself."""

import multiprocessing
import platform
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.prove.catalogue import Gate


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


def _row(result: Result) -> str:
    cells = (
        result.gate.name,
        result.gate.says,
        f"{result.played:,}",
        _counted(result),
        f"{len(result.broken)}",
        f"{result.seconds:,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _list(result: Result) -> str:
    """A table of the figures that are listed apart."""
    rows = "\n".join(f"| {name} | {value:,.0f} |" for name, value in sorted(result.counted.items()))
    return f"\n## {result.gate.says[:1].upper()}{result.gate.says[1:]}\n\n| | {result.gate.listed} |\n|---|---|\n{rows}\n"


def page(results: Sequence[Result], proof: Proof) -> str:
    """The proof's figures in Markdown."""
    rows = "\n".join(_row(result) for result in results)
    lists = "".join(_list(result) for result in results if result.gate.listed and result.counted)
    return f"""# The proof's figures

Written by `make prove`; never by hand. What the promises are, and what each gate is for: [promises](../explanation/promises.md).

- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC
- commit: {proof.commit}
- share of the full figures: {proof.share:g}
- seeds: a fifth are the same in every run, the others count from {proof.fresh}
- minutes: {sum(result.seconds for result in results) / 60:.0f}
- Python {platform.python_version()}, {platform.system()} {platform.release()}, {multiprocessing.cpu_count()} cores,
  {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MiB at most

| gate | what is played | played | figures | broken | seconds |
|---|---|---|---|---|---|
{rows}
{lists}"""
