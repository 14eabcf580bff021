"""Times and steps as people write them."""

import re
from datetime import datetime

from runner.promql.errors import ParameterError, QuerySyntaxError
from runner.promql.spans import MAX_SECONDS
from runner.promql.tokens import Token, scan

_SECONDS = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str) -> float:
    """Unix seconds of *text*, which is Unix seconds, fractions allowed, or RFC 3339. ParameterError if neither."""
    if _SECONDS.fullmatch(text):
        return _within(float(text), text)
    found = _RFC3339.fullmatch(text)
    if found is not None:
        day, clock, fraction, zone = found.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{zone.upper().replace('Z', '+00:00')}")
        except ValueError:
            pass
        else:
            return moment.timestamp() + float(fraction or 0)
    hint = "write Unix seconds, or RFC 3339 like 2026-01-31T12:00:00Z"
    raise ParameterError(f'"{text}" is no time', hint=hint)


def parse_step(text: str) -> float:
    """Seconds of *text*, which is seconds or a PromQL duration like `1m30s`. ParameterError if neither."""
    if _SECONDS.fullmatch(text):
        return _within(float(text), text)
    try:
        words = scan(text)
    except QuerySyntaxError:
        words = ()
    match words:
        case (Token(kind="number") as word,) if word.is_duration:
            return _within(word.seconds, text)
        case _:
            raise ParameterError(f'"{text}" is no step', hint="write seconds, or a duration like 30s or 1m")


def _within(seconds: float, text: str) -> float:
    if not abs(seconds) <= MAX_SECONDS:
        raise ParameterError(f'"{text}" is out of range')
    return seconds
