"""Event <-> one JSON line. The file format is not the domain: every key is written here by name."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from math import isfinite
from typing import Any, NamedTuple

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
from runner.foreign import json_of
from runner.journal.shapes import effect_facts, fitting
from runner.model.checks import Verdict
from runner.model.split import Split, split_of
from runner.secrecy import hide

FORMAT = 1
YEARS = range(1970, 9000)  # of every time in a journal; Python's own calendar ends soon after
FIRST = ""  # what the first line names as its predecessor
CLASSES: Mapping[str, type] = {name: cls for cls, name in EVENT_NAMES.items()}
OMITTED_WHEN_NONE = {"stage", "guard", "scenario", "seed"}
SUM = ',"sum":"'
MEASURED, EVIDENCE = ',"event":"measurement.taken"', ',"evidence":'
ENVELOPE = {"v", "seq", "at", "run", "event", "prev", "sum"}
FOREIGN = {"reason", "message", "evidence", "result"}
"""Fields with the words of others, from which secrets are kept; the rest is what a run must find again as it was."""


class OtherFormatError(DisagreementError):
    """A line of a format that this program does not know, however that one is checksummed."""


class Unread(Mapping[str, Any]):
    """A JSON object that is parsed when somebody looks into it. DisagreementError where it is none."""

    __slots__ = ("_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: Mapping[str, Any] | None = None

    def _read(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = _object(self._text)
        return self._found

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class Link(NamedTuple):
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
    return f'{text[:-1]}{SUM}{total}"}}', Link(link.run, link.seq + 1, total)


def encoded_from(link: Link, events: Iterable[Event]) -> tuple[list[str], Link]:
    """The lines of *events* behind *link*, and the link behind them."""
    lines = []
    for event in events:
        line, link = encode(event, link)
        lines.append(line)
    return lines, link


def encoded(run: str, events: Iterable[Event]) -> list[str]:
    """The lines of a whole journal."""
    return encoded_from(Link(run), events)[0]


def checksum(text: str) -> str:
    """128 bits of SHA-256 over the line as it would stand without its sum."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def decode(line: str, link: Link | None) -> tuple[Event, Link]:
    """The event of one line that must follow *link*; DisagreementError says what does not check."""
    text, total = _split_sum(line)
    if checksum(text) != total:
        _format_first(line)
        raise DisagreementError("its checksum does not match")
    body = _body(text)
    _known_format(body)
    if link is not None and (body["run"], body["seq"], body["prev"]) != link:
        raise DisagreementError(f"it does not follow line {link.seq - 1}")
    return _event(body), Link(body["run"], body["seq"] + 1, total)


def _body(text: str) -> dict[str, Any]:
    """A line as JSON, but for a measurement's evidence: nine tenths of a long journal, and rarely asked for.

    Quotes inside a JSON string are escaped, so what looks like a key is one; the envelope's keys come first.
    """
    start, end = text.find(EVIDENCE), text.rfind(',"prev":"')
    if not text.startswith(MEASURED, text.find(',"event":')) or not 0 < start < end:
        return dict(json_of(text))
    body: dict[str, Any] = _read(text[:start] + text[end:])
    body["evidence"] = Unread(text[start + len(EVIDENCE) : end])
    return body


def _no_number(text: str) -> float:
    raise ValueError(text)


_read = json.JSONDecoder(parse_constant=_no_number).decode
"""As `json_of` in half the time, for a line whose numbers are looked at anyway, one by one (see `fitting`)."""


def _object(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        if isinstance(found := json_of(text), dict):
            return found
    raise DisagreementError("the evidence of a measurement in the state file is damaged")


def _known_format(body: Mapping[str, Any]) -> None:
    if body["v"] != FORMAT:
        raise OtherFormatError(f"it is of format {body['v']}, this runner knows format {FORMAT}")


def _format_first(line: str) -> None:
    """A line that does not check may be of a format that is checked otherwise; what is no line at all passes."""
    with suppress(ValueError, KeyError, TypeError):
        _known_format(json_of(line))


def _split_sum(line: str) -> tuple[str, str]:
    text, marker, rest = line.rpartition(SUM)
    if not marker or rest[-2:] != '"}':
        raise DisagreementError("it has no checksum")
    return text + "}", rest[:-2]


def _payload(event: Event) -> dict[str, Any]:
    cls: type = type(event)
    payload = {}
    for name, key, _ in _parts(cls):
        value = getattr(event, name)
        if value is None and name in OMITTED_WHEN_NONE:
            continue
        said = rfc3339(value) if name == "until" else plain(value)
        payload[key] = _without_secrets(said) if name in FOREIGN else said
    return payload


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            return hide(value)
        case dict():
            return {hide(key): _without_secrets(item) for key, item in value.items()}
        case list():
            return [_without_secrets(item) for item in value]
        case _:
            return value


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
    return fitting(Ref(**value))


READERS: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    SplitChanged: {"from_": _maybe_split, "to": split_of},
    RunFinished: {"outcome": Outcome, "splits": _splits},
    RollbackStarted: {"cause": Outcome, "to": _splits},
    MeasurementTaken: {"verdict": Verdict},
    EffectIntended: {"ref": _ref, "want": effect_facts, "found": effect_facts},
    EffectDone: {"ref": _ref, "result": effect_facts},
    GateOpened: {"until": lambda text: moment(text)},  # noqa: PLW0108 - it is defined below
}


def _event(body: Mapping[str, Any]) -> Event:
    cls = CLASSES.get(body["event"])
    if cls is None:
        raise DisagreementError(f"it has an event {body['event']!r} that this runner does not know")
    known = {
        name: body[key] if reader is None else reader(body[key])
        for name, key, reader in _parts(cls)
        if key in body
    }
    event: Event = fitting(cls(at=moment(body["at"]), **known))
    return event


@cache
def _parts(cls: type) -> tuple[tuple[str, str, Callable[[Any], Any] | None], ...]:
    """Of each field but the time: its name, its key in a line, and what makes its value of what stands there."""
    readers = READERS.get(cls, {})
    names = (field.name for field in fields(cls) if field.name != "at")
    return tuple((name, name.rstrip("_"), readers.get(name)) for name in names)


def rfc3339(at: float) -> str:
    """Unix seconds as UTC, whole milliseconds."""
    said = datetime.fromtimestamp(round(at, 3), UTC).isoformat(timespec="milliseconds")
    return said.removesuffix("+00:00") + "Z"


def moment(text: str) -> float:
    """Unix seconds, to the millisecond. ValueError for a time that no run was played at."""
    found = datetime.fromisoformat(text)
    if found.year not in YEARS:
        raise ValueError(text)
    return round(found.timestamp(), 3)
