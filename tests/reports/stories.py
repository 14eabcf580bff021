"""Stories in data files: events one a line, `after` in seconds since noon, and `tick` where only time passes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.engine.events import EVENT_NAMES, Event, Outcome, Ref
from runner.engine.observations import Interrupted, Observation, Order, OrderKind, Reached, Readiness, Trouble
from runner.model.checks import Verdict
from runner.model.split import Split, split_of

CASES = Path(__file__).parent / "cases"
NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
CLASSES = {name: cls for cls, name in EVENT_NAMES.items()}


def story(name: str) -> Iterator[Event | Observation | float]:
    """The events, observations and bare times of one story, in order."""
    for line in (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield _item(json.loads(line))


def _item(body: dict[str, Any]) -> Event | Observation | float:
    at = NOON + body.pop("after")
    match body.pop("event", None), body.pop("noticed", None):
        case None, None:
            return at
        case None, noticed:
            return _observation(noticed, at, body)
        case event, _:
            return CLASSES[event](
                at=at, **{_key(key): _value(event, key, value) for key, value in body.items()}
            )


def _observation(name: str, at: float, body: dict[str, Any]) -> Observation:
    match name:
        case "readiness":
            return Readiness(at, 0, body["ready"], body.get("reason", ""))
        case "trouble":
            return Trouble(at, body["reason"])
        case "reached":
            return Reached()
        case "order":
            return Order(OrderKind(body["kind"]), body["by"], body.get("reason", ""))
        case _:
            return Interrupted(body["name"], body["code"])


def _key(key: str) -> str:
    return "from_" if key == "from" else key


def _value(event: str, key: str, value: Any) -> Any:
    match event, key:
        case "split.changed", ("from" | "to"):
            return None if value is None else split_of(value)
        case ("run.finished", "splits") | ("rollback.started", "to"):
            return _splits(value)
        case _, "ref":
            return Ref(**value)
        case _, ("outcome" | "cause"):
            return Outcome(value)
        case _, "verdict":
            return Verdict(value)
        case _, "until":
            return NOON + value
        case _:
            return value


def _splits(value: dict[str, dict[str, int]]) -> dict[str, Split]:
    return {route: split_of(weights) for route, weights in value.items()}
