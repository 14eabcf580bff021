"""Event <-> one JSON line. The file format is not the domain: every key is written here by name."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any

from runner.engine.events import (
    EVENT_NAMES,
    EffectDone,
    EffectIntended,
    Event,
    GateOpened,
    MeasurementTaken,
    Outcome,
    Ref,
    RollbackStarted,
    RunFinished,
    SplitChanged,
)
from runner.errors import DisagreementError
from runner.model.checks import Verdict
from runner.model.split import Split, split_of

FORMAT = 1
FIRST = ""  # what the first line names as its predecessor
CLASSES: Mapping[str, type] = {name: cls for cls, name in EVENT_NAMES.items()}
OMITTED_WHEN_NONE = {"stage", "guard", "scenario", "seed"}
ENVELOPE = {"v", "seq", "at", "run", "event", "prev", "sum"}


class OtherFormatError(DisagreementError):
    """A line of a format that this program does not know, however that one is checksummed."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where in its chain a line stands: the number it gets and the sum of the line before."""

    run: str
    seq: int = 1
    prev: str = FIRST


def encode(event: Event, link: Link) -> tuple[str, Link]:
    """One line without its newline, and the link that the next line gets."""
    body = {
        "v": FORMAT,
        "seq": link.seq,
        "at": rfc3339(event.at),
        "run": link.run,
        "event": EVENT_NAMES[type(event)],
        **_payload(event),
        "prev": link.prev,
    }
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    total = checksum(text)
    return f'{text[:-1]},"sum":"{total}"}}', Link(link.run, link.seq + 1, total)


def encoded(run: str, events: Iterable[Event]) -> list[str]:
    """The lines of a whole journal."""
    lines, link = [], Link(run)
    for event in events:
        line, link = encode(event, link)
        lines.append(line)
    return lines


def checksum(text: str) -> str:
    """128 bits of SHA-256 over the line as it would stand without its sum."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def decode(line: str, link: Link | None) -> tuple[Event, Link]:
    """The event of one line that must follow *link*; DisagreementError says what does not check."""
    text, total = _split_sum(line)
    if checksum(text) != total:
        _format_first(line)
        raise DisagreementError("its checksum does not match")
    body = json.loads(text)
    _known_format(body)
    if link is not None and (body["run"], body["seq"], body["prev"]) != (link.run, link.seq, link.prev):
        raise DisagreementError(f"it does not follow line {link.seq - 1}")
    return _event(body), Link(body["run"], body["seq"] + 1, total)


def _known_format(body: Mapping[str, Any]) -> None:
    if body["v"] != FORMAT:
        raise OtherFormatError(f"it is of format {body['v']}, this runner knows format {FORMAT}")


def _format_first(line: str) -> None:
    """A line that does not check may be of a format that is checked otherwise; what is no line at all passes."""
    with suppress(ValueError, KeyError, TypeError):
        _known_format(json.loads(line))


def _split_sum(line: str) -> tuple[str, str]:
    text, marker, rest = line.rpartition(',"sum":"')
    if not marker or not rest.endswith('"}'):
        raise DisagreementError("it has no checksum")
    return text + "}", rest[:-2]


def _payload(event: Event) -> dict[str, Any]:
    payload = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name == "at" or (value is None and field.name in OMITTED_WHEN_NONE):
            continue
        payload[field.name.rstrip("_")] = rfc3339(value) if field.name == "until" else plain(value)
    return payload


def plain(value: Any) -> Any:
    """*value* as JSON has it; a number that JSON has no word for becomes null."""
    match value:
        case Split():
            return value.as_dict()
        case Ref():
            return {field.name: getattr(value, field.name) for field in fields(value)}
        case Enum():
            return value.value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case float() if not isfinite(value):
            return None
        case _:
            return value


def _splits(value: Mapping[str, Mapping[str, int]]) -> dict[str, Split]:
    return {name: split_of(weights) for name, weights in value.items()}


def _maybe_split(value: Mapping[str, int] | None) -> Split | None:
    return None if value is None else split_of(value)


def _ref(value: Mapping[str, Any]) -> Ref:
    return Ref(**value)


READERS: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    SplitChanged: {"from_": _maybe_split, "to": split_of},
    RunFinished: {"outcome": Outcome, "splits": _splits},
    RollbackStarted: {"cause": Outcome, "to": _splits},
    MeasurementTaken: {"verdict": Verdict},
    EffectIntended: {"ref": _ref},
    EffectDone: {"ref": _ref},
    GateOpened: {"until": lambda text: moment(text)},  # noqa: PLW0108 - it is defined below
}


def _event(body: Mapping[str, Any]) -> Event:
    cls = CLASSES.get(body["event"])
    if cls is None:
        raise DisagreementError(f"it has an event {body['event']!r} that this runner does not know")
    readers = READERS.get(cls, {})
    known: dict[str, Any] = {"at": moment(body["at"])}
    for field in fields(cls):
        key = field.name.rstrip("_")
        if field.name != "at" and key in body:
            known[field.name] = readers.get(field.name, _as_is)(body[key])
    event: Event = cls(**known)
    return event


def _as_is(value: Any) -> Any:
    return value


def rfc3339(at: float) -> str:
    """Unix seconds as UTC, whole milliseconds."""
    return datetime.fromtimestamp(round(at, 3), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(text: str) -> float:
    """Unix seconds, to the millisecond."""
    return round(datetime.fromisoformat(text).timestamp(), 3)
