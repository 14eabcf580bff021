"""What judging one measurement gives, and the words and numbers it is said with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

from runner.model.checks import Bounds, Verdict

ROUNDING = 1e-9  # relative; what two floating-point evaluations of one query may differ by


@dataclass(frozen=True, slots=True)
class Judged:
    """One measurement's *value* (finite or None), verdict, the sentence a person reads, and what it rests on.

    *facts* is plain JSON: the values judged, counts, interval and bound: what the verdict follows from.
    """

    value: float | None
    verdict: Verdict
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def inconclusive(reason: str, facts: Mapping[str, Any] | None = None, value: float | None = None) -> Judged:
    """No evidence either way, and why."""
    return Judged(value, Verdict.INCONCLUSIVE, f"{reason}: inconclusive", facts or {})


def within(value: float, bounds: Bounds) -> bool:
    """Both bounds are included; rounding never decides."""
    slack = ROUNDING * abs(value)
    above = bounds.min is None or value >= bounds.min - slack
    return above and (bounds.max is None or value <= bounds.max + slack)


def bounds_json(bounds: Bounds) -> dict[str, float]:
    """Only the bounds that are set."""
    known = {"min": bounds.min, "max": bounds.max}
    return {name: bound for name, bound in known.items() if bound is not None}


def plain(value: float) -> float | str:
    """A JSON number, or Prometheus's own word for what JSON has no number for."""
    if isfinite(value):
        return value
    return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"


def number(value: float) -> str:
    """A number as a person writes it: `1,902`, `0.0123`, `312.5`."""
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def count(value: float) -> str:
    """Whole requests; extrapolated fractions are rounded for the eye only."""
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def percent(rate: float) -> str:
    """A rate as percent: one decimal, two digits that matter below one percent."""
    points = 100 * rate
    if points == 0 or points >= 1:
        return f"{points:.1f} %"
    return f"{points:.2g} %"


def percent_bound(rate: float) -> str:
    """A bound as it was most likely written: `1 %`, `0.5 %`."""
    return f"{100 * rate:.6g} %"


def with_unit(value: float, unit: str) -> str:
    """The number with the check's unit behind it."""
    return f"{number(value)} {'%' if unit == 'percent' else unit}".strip()


def allowed(low: str | None, high: str | None) -> str:
    """`at most 1 % allowed` and its kin."""
    if low is not None and high is not None:
        return f"{low} to {high} allowed"
    return f"at most {high} allowed" if high is not None else f"at least {low} required"
