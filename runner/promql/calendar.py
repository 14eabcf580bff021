"""Date parts of Unix time in UTC; any year, unlike `datetime`."""

from collections.abc import Callable
from dataclasses import dataclass

_DAY = 86_400
_DAWN = -9_223_372_028_741_760_000  # March 1 of the year -292277022400, where Go's calendar begins


@dataclass(frozen=True, slots=True)
class Moment:
    """A civil date and the seconds since its midnight, in UTC."""

    year: int
    month: int
    day: int
    days: int
    second: int


def moment(seconds: float) -> Moment:
    """The civil date of *seconds* since 1970, fractions cut off.

    H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    """
    days, second = divmod(_whole(seconds), _DAY)
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    day = of_year - (153 * shifted + 2) // 5 + 1
    return Moment(year_of_era + era * 400 + (month <= 2), month, day, days, second)


def _whole(seconds: float) -> int:
    # Go on amd64 turns what does not fit an int64, NaN too, into the smallest int64, and its calendar wraps.
    fits = -(2.0**63) <= seconds < 2.0**63
    whole = int(seconds) if fits else -(2**63)
    return whole if whole >= _DAWN else whole + 2**64


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in_month(of: Moment) -> int:
    if of.month == 2:
        return 29 if _is_leap(of.year) else 28
    return 30 if of.month in (4, 6, 9, 11) else 31


def _day_of_year(of: Moment) -> int:
    before = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[of.month - 1]
    return before + of.day + (of.month > 2 and _is_leap(of.year))


PARTS: dict[str, Callable[[Moment], int]] = {
    "day_of_month": lambda of: of.day,
    "day_of_week": lambda of: (of.days + 4) % 7,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "hour": lambda of: of.second // 3600,
    "minute": lambda of: of.second % 3600 // 60,
    "month": lambda of: of.month,
    "year": lambda of: of.year,
}
