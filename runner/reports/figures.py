"""Durations and times in words."""

import math
from datetime import UTC, datetime, tzinfo

_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def duration(seconds: float) -> str:
    """Two units at most: `0.4s`, `41s`, `3m57s`, `5m`, `2h05m`, `3d04h`."""
    if seconds < 1:
        tenths = math.ceil(max(seconds, 0.0) * 10) / 10
        return f"{tenths:.1f}s" if 0 < tenths < 1 else f"{tenths:.0f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return _pair(whole, _MINUTE, "m", 1, "s")
    if whole < _DAY:
        return _pair(whole, _HOUR, "h", _MINUTE, "m")
    return _pair(whole, _DAY, "d", _HOUR, "h")


def _pair(whole: int, big: int, big_unit: str, small: int, small_unit: str) -> str:
    rest = whole % big // small
    return f"{whole // big}{big_unit}{rest:02d}{small_unit}" if rest else f"{whole // big}{big_unit}"


def clock(at: float, zone: tzinfo | None = UTC) -> str:
    """The time of day, `14:32:10`; *zone* None is the machine's own."""
    return _moment(at, zone).strftime("%H:%M:%S")


def due(at: float, now: float, zone: tzinfo | None = UTC) -> str:
    """A time to come: the time of day, and the day where it is not that of *now*."""
    moment, today = _moment(at, zone), _moment(now, zone)
    return moment.strftime("%H:%M:%S" if moment.date() == today.date() else "%Y-%m-%d %H:%M:%S")


def date(at: float, zone: tzinfo | None = UTC) -> str:
    """Day, time and zone, `2026-11-22 14:32:10 UTC`."""
    return _moment(at, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _moment(at: float, zone: tzinfo | None) -> datetime:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.astimezone(zone)


def plural(count: int, noun: str) -> str:
    """`1 object`, `3 objects`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
