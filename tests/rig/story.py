"""What a run decided, told so that two worlds can be compared: their clocks and the number of looks left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rig.play import Event, Play, without_zeros


@dataclass(frozen=True, slots=True)
class Story:
    """Decisions in order, the last word on each check by stage, and the exit code."""

    decisions: tuple[str, ...]
    verdicts: tuple[str, ...]
    code: int


def of(run: Play) -> Story:
    """The story of *run*, once it has ended; one that was refused has none but the reason."""
    code = run.finish()
    if run.events:
        return tell(run.events, code)
    why = next(line for line in run.said().splitlines() if line.startswith("error: "))
    return Story((f"refused, {why}",), (), code)


def tell(events: Iterable[Event], code: int) -> Story:
    """The story of a run whose events these are."""
    events = list(events)
    return Story(
        decisions=tuple(line for event in events if (line := _decision(event))),
        verdicts=tuple(sorted(_verdicts(events))),
        code=code,
    )


def _decision(event: Event) -> str:
    name = event["event"]
    match name.split(".")[0]:
        case "stage":
            return f"{name} {event['stage']}"
        case "split":
            return f"{name} {event['route']} to {_split(event['to'])}"
        case "gate":
            return f"{name} {event['stage']} {event.get('answer', '')}".rstrip()
        case "rollback":
            return f"{name} {event.get('verified', '')}".rstrip()
        case "run" if name == "run.finished":
            return f"{name} {event['outcome']} {[_split(it) for it in event['splits'].values()]}"
        case "run" if name != "run.started":
            return f"{name} {event.get('code', '')}".rstrip()
    return ""


def _verdicts(events: list[Event]) -> set[str]:
    """The last conclusive verdict on each check, by verify stage and as a guard; one that never was so says that."""
    last: dict[tuple[str, str], str] = {}
    for event in events:
        if event["event"] == "measurement.taken":
            key = (event.get("stage") or "guard", event["check"])
            if event["verdict"] != "inconclusive" or key not in last:
                last[key] = event["verdict"]
    return {f"{where}: {check} {verdict}" for (where, check), verdict in last.items()}


def _split(found: dict[str, int]) -> str:
    return "/".join(f"{subset} {weight}" for subset, weight in sorted(without_zeros(found).items()))
