"""Whether the canary fails more often than stable does, beyond the allowance and beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.engine.judged import Judged, count, inconclusive, number, percent, percent_bound
from runner.engine.statistics import alpha_of_look, excess_p_value, multiple_p_value
from runner.engine.sufficiency import Counts, counted, no_series
from runner.model.checks import Allow, Check, Comparison, Ratio, Verdict
from runner.model.evidence import Answer

SPANNED = 0.75
"""The part of a window that its samples span when it holds four scrapes, the fewest that it should hold.

`increase` counts what happened between its first and its last sample and extrapolates the rest. What it
made up is no evidence, so the test is given only this part of every count.
"""
OVERLAP = 1.0  # seconds that two windows may share: clocks and scrapes are not exact


@dataclass(frozen=True, slots=True)
class Arms:
    """What was counted on both sides."""

    canary: Counts
    stable: Counts

    def plus(self, other: "Arms") -> "Arms":
        return Arms(_sum(self.canary, other.canary), _sum(self.stable, other.stable))

    def as_json(self) -> dict[str, list[float]]:
        return {"canary": [self.canary.bad, self.canary.of], "stable": [self.stable.bad, self.stable.of]}


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(one.bad + other.bad, one.of + other.of)


def judge_comparison(
    check: Check,
    answers: Mapping[str, Answer],
    comparison: Comparison,
    *,
    now: float,
    earlier: Sequence[Mapping[str, Any]],
    looks: int | None,
) -> Judged:
    """Fails when chance explains the excess over the allowance with less than this look's part of alpha.

    Alpha is 1 - confidence, one-sided, shared out over the looks (see ``alpha_of_look``), so that looking
    often does not reject a good canary more often. Windows never overlap; what they counted is added up.
    """
    if earlier and now - check.lookback < max(float(look["at"]) for look in earlier) - OVERLAP:
        return inconclusive("the window overlaps the one before it")
    counts = _arms(check, answers)
    if isinstance(counts, Judged):
        return counts
    look = 1 + sum(bool(look["conclusive"]) for look in earlier)
    total = _added_up(counts, earlier)
    fact = {"at": now, "number": look, **counts.as_json()}
    few = _too_few(total, comparison)
    if few is not None:
        return inconclusive(few, {"look": {**fact, "conclusive": False}, **total.as_json()})
    return _tested(total, comparison, look, looks, {**fact, "conclusive": True})


def _arms(check: Check, answers: Mapping[str, Answer]) -> Arms | Judged:
    arms = []
    for side in ("canary", "stable"):
        bad, of = answers[f"{side}.bad"], answers[f"{side}.of"]
        if not of.samples:
            return no_series(check, f"{side}.of")
        counts = counted(check, bad, of, f"{side}.")
        problem = counts if isinstance(counts, str) else counts.impossible
        if isinstance(counts, str) or problem is not None:
            return inconclusive(f"{side}: {problem}")
        arms.append(counts)
    return Arms(*arms)


def _added_up(counts: Arms, earlier: Sequence[Mapping[str, Any]]) -> Arms:
    for look in earlier:
        counts = counts.plus(Arms(Counts(*look["canary"]), Counts(*look["stable"])))
    return counts


def _too_few(total: Arms, comparison: Comparison) -> str | None:
    sides: tuple[tuple[str, Counts, Ratio], ...] = (
        ("canary", total.canary, comparison.canary),
        ("stable", total.stable, comparison.stable),
    )
    for side, counts, ratio in sides:
        few = counts.too_few(ratio.min_samples)
        if few is not None:
            return f"{side}: {few}"
    return None


def chance(total: Arms, comparison: Comparison) -> float:
    """The p-value of *total* under the largest excess that is allowed."""
    canary, stable = _spanned(total.canary), _spanned(total.stable)
    if comparison.allow is Allow.POINTS:
        return excess_p_value(canary.bad, canary.of, stable.bad, stable.of, comparison.allowance)
    return multiple_p_value(canary.bad, canary.of, stable.bad, stable.of, 1 + comparison.allowance)


def _spanned(counts: Counts) -> Counts:
    return Counts(counts.bad * SPANNED, counts.of * SPANNED)


def _tested(
    total: Arms, comparison: Comparison, look: int, looks: int | None, fact: Mapping[str, Any]
) -> Judged:
    canary, stable = total.canary.bad / total.canary.of, total.stable.bad / total.stable.of
    p_value = chance(total, comparison)
    alpha = alpha_of_look(look, looks, 1 - comparison.confidence)
    verdict = Verdict.FAILED if p_value < alpha else Verdict.PASSED
    facts = {"look": dict(fact), **total.as_json(), "pValue": p_value, "alpha": alpha}
    said = (
        f"{_arm(total.canary)} on the canary, {_arm(total.stable)} on stable: "
        f"{_excess(canary, stable, comparison)}, "
        f"chance {number(p_value)}, fails below {number(alpha)}: {verdict}"
    )
    return Judged(canary - stable, verdict, said, facts)


def _arm(counts: Counts) -> str:
    return f"{count(counts.bad)} of {count(counts.of)} requests failed ({percent(counts.bad / counts.of)})"


def _excess(canary: float, stable: float, comparison: Comparison) -> str:
    difference = canary - stable
    word = "worse" if difference > 0 else "better"
    points = f"{100 * abs(difference):.2g} points {word}"
    if comparison.allow is Allow.POINTS:
        return f"{points}, at most {100 * comparison.allowance:.6g} allowed"
    return f"{points}, at most {percent_bound(comparison.allowance)} of stable's rate allowed"
