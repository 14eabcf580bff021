"""Durations as documents write them."""

import re
from functools import lru_cache
from typing import Final

FORM: Final = re.compile(r"(?:[0-9]{1,6}(?:\.[0-9]{1,3})?(?:ms|s|m|h|d)){1,5}")


@lru_cache(maxsize=1024)
def seconds(text: str) -> float:
    """The seconds of a duration such as `90s` or `1h30m`. ValueError where it is none."""
    from durationpy import from_str

    if not FORM.fullmatch(text):
        raise ValueError(f'"{text}" is not a duration, write for example 90s, 5m or 1h')
    found: float = from_str(text).total_seconds()
    return found


def is_duration(text: str) -> bool:
    """Whether *text* is a duration longer than nothing."""
    return FORM.fullmatch(text) is not None and seconds(text) > 0
