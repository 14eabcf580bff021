"""JSON that somebody else wrote: a server, a plugin, whoever may annotate an object or write beside a state file."""

import json
from math import isfinite
from typing import Any, Final

LONGEST: Final = 308  # digits of a whole number that any float can hold


def json_of(text: str | bytes) -> Any:
    """What *text* says. ValueError where it is no JSON, nested too deep, or holds a number that no float can hold."""
    try:
        return _read(text if isinstance(text, str) else text.decode())
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > LONGEST:
        raise ValueError("a whole number is too long")
    return int(text)


def _finite(text: str) -> float:
    found = float(text)
    if not isfinite(found):
        raise ValueError("a number is too large")
    return found


def _none(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


_read = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_none).decode
