"""The evaluator agrees with Prometheus: recorded answers of its own engine, replayed (`make oracle` renews them)."""

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from runner.promql import STALE, MemoryStorage, PromQLError, RefusedError, evaluate, evaluate_range, to_api

RECORDED = Path(__file__).parent / "recorded"
PARTS = ("by-hand", "from-seed", "patterns")
RELATIVE, ABSOLUTE = 1e-9, 1e-12


def records(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@cache
def worlds() -> dict[str, MemoryStorage]:
    return {record["world"]: storage(record["series"]) for record in records("worlds")}


def storage(given: list[dict[str, Any]]) -> MemoryStorage:
    made = MemoryStorage()
    for one in given:
        series = made.series(one["labels"])
        for at, value in one["samples"]:
            series.append(at, STALE if value == "stale" else float(value))
    return made


def answered(record: dict[str, Any]) -> dict[str, Any]:
    world = worlds()[record["world"]]
    try:
        if "at" in record:
            return to_api(evaluate(record["expr"], world, record["at"] / 1000))
        start, end, step = (record[key] / 1000 for key in ("start", "end", "step"))
        return to_api(evaluate_range(record["expr"], world, start, end, step))
    except RefusedError as error:
        return {**to_api(error), "refused": error.feature}
    except PromQLError as error:
        return to_api(error)


def difference(expected: dict[str, Any], actual: dict[str, Any], *, ordered: bool) -> str | None:
    """What differs, in words; None where the answers agree."""
    if expected["status"] != actual["status"] or expected.get("errorType") != actual.get("errorType"):
        return f"expected {summary(expected)}, got {summary(actual)}"
    if expected["status"] == "error":
        return None
    kind = expected["data"]["resultType"]
    if kind != actual["data"]["resultType"]:
        return f"expected a {kind}, got a {actual['data']['resultType']}"
    left, right = expected["data"]["result"], actual["data"]["result"]
    if kind in ("scalar", "string"):
        return None if pairs_agree([left], [right]) else f"expected {left}, got {right}"
    return series_difference(left, right) or (order_difference(left, right) if ordered else None)


def series_difference(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> str | None:
    expected, actual = by_metric(left), by_metric(right)
    if expected.keys() != actual.keys() or len(left) != len(right):
        missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        return (
            f"missing {sorted(missing)[:3]}, extra {sorted(extra)[:3]} ({len(left)} and {len(right)} series)"
        )
    for metric, pairs in expected.items():
        if not pairs_agree(pairs, actual[metric]):
            return f"{metric}: expected {pairs}, got {actual[metric]}"
    return None


def order_difference(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> str | None:
    """Equal values may swap places; the values themselves stand in order."""
    for one, other in zip(left, right, strict=True):
        if not pairs_agree([one["value"]], [other["value"]]):
            return f"in another order: expected {one}, got {other}"
    return None


def by_metric(series: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {json.dumps(one["metric"], sort_keys=True): one.get("values") or [one["value"]] for one in series}


def pairs_agree(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(
        one[0] == other[0] and (one[1] == other[1] or close(one[1], other[1]))
        for one, other in zip(left, right, strict=True)
    )


def close(left: str, right: str) -> bool:
    try:
        expected, actual = float(left), float(right)
    except ValueError:
        return False
    if math.isnan(expected) or math.isnan(actual):
        return math.isnan(expected) and math.isnan(actual)
    return math.isclose(expected, actual, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def summary(answer: dict[str, Any]) -> str:
    return json.dumps(answer)[:300]


def keeps_order(record: dict[str, Any]) -> bool:
    return "at" in record and record["expr"].startswith(("sort", "topk(", "bottomk("))


@pytest.mark.parametrize("part", PARTS)
def test_every_recorded_answer_of_prometheus_is_ours(part):
    asked = list(records(part))
    wrong = [
        f"{record['world']}: {record['expr']} at {record.get('at') or (record['start'], record['end'], record['step'])}: {found}"
        for record in asked
        if (found := difference(record["answer"], answered(record), ordered=keeps_order(record)))
    ]

    assert len(asked) > 100
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:40])


def test_each_group_by_hand_has_ten_cases():
    counted = Counter(record["group"] for record in records("by-hand"))

    assert min(counted.values()) >= 10
    assert sum(counted.values()) >= 2000
