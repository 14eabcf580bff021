"""How a disturbed run ended, told so that real parts and the simulator can be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rig import story

ANNOTATION = "runner/run"


@dataclass(frozen=True, slots=True)
class End:
    """Exit codes in the order in which processes began, and what is left: record, traffic and marker."""

    codes: tuple[int, ...]
    last: str
    splits: tuple[str, ...]
    live: str
    marker: str


def end_of(told: dict[str, Any]) -> End:
    """What *told* comes to: codes, the journal's events, and the VirtualService or nothing."""
    decisions = story.tell(told["events"], 0).decisions
    return End(
        codes=tuple(told["codes"]),
        last=decisions[-1],
        splits=tuple(line for line in decisions if line.startswith("split.changed")),
        live=_live(told["object"]),
        marker=_marker(told["object"], told["events"][0]["run"]),
    )


def _live(found: dict[str, Any] | None) -> str:
    """Every http route with its weights."""
    if found is None:
        return "none"
    routes = [
        "/".join(
            f"{it['destination']['subset']} {it.get('weight', 100)}"
            for it in http["route"]
            if it.get("weight", 100)
        )
        for http in found["spec"]["http"]
    ]
    return ", ".join(routes)


def _marker(found: dict[str, Any] | None, run: str) -> str:
    """The marker, whose run is this one or another."""
    text = ((found or {}).get("metadata", {}).get("annotations") or {}).get(ANNOTATION)
    if text is None:
        return "none"
    marker = json.loads(text)
    return json.dumps(marker | {"run": "this" if marker["run"] == run else "another"})
