"""Records what Prometheus answers: `make oracle` (needs Go; the tests that replay it do not)."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from .by_hand import by_hand
from .case import Case
from .generated import from_seed
from .oracle import ask
from .patterns import drawn
from .worlds import WORLDS

RECORDED = Path(__file__).parents[1] / "recorded"


def main() -> None:
    """Ask everything and write it down."""
    worlds = {name: make() for name, make in WORLDS.items()}
    _write("worlds", ({"world": name, "series": made} for name, made in worlds.items()))
    for part, drawing in (("by-hand", by_hand), ("from-seed", from_seed), ("patterns", drawn)):
        cases = tuple(drawing())
        _write(part, _answered(worlds, cases))
        print(f"{part}: {len(cases)} queries")


def _answered(
    worlds: dict[str, list[dict[str, object]]], cases: tuple[Case, ...]
) -> Iterator[dict[str, object]]:
    given = [{"world": name, "series": series} for name, series in worlds.items()]
    asked = [{"id": str(number), **case.record()} for number, case in enumerate(cases)]
    for case, answer in zip(cases, ask([*given, *asked]), strict=True):
        yield {**case.record(), "answer": answer}


def _write(name: str, records: Iterable[dict[str, object]]) -> None:
    lines = "".join(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n" for record in records)
    with (
        (RECORDED / f"{name}.jsonl.gz").open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed,
    ):
        packed.write(lines.encode())


if __name__ == "__main__":
    main()
