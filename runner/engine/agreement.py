"""Whether the traffic that was served agrees with the weights that were set."""

from collections.abc import Mapping
from math import fsum

from runner.engine.judged import ROUNDING, Judged, inconclusive, number
from runner.engine.sufficiency import no_series
from runner.model.checks import Agreement, Check, Verdict
from runner.model.evidence import Answer
from runner.model.split import Split

UNLABELLED = "(none)"


def judge_agreement(check: Check, answer: Answer, agreement: Agreement, live: Split | None) -> Judged:
    """Each label's share must lie within the tolerance of its weight; one that no subset has should be 0.

    A subset with weight but no series counts as 0 points; series that share a label add up.
    """
    split = agreement.expect or live
    if split is None:
        return inconclusive("the live weights of the route are not known")
    if not answer.samples:
        return no_series(check, "query")
    if not any(agreement.by in sample.labels for sample in answer.samples):
        return inconclusive(f'no series has the label "{agreement.by}" to tell versions by')
    served = _served(answer, agreement.by)
    total = fsum(served.values())
    if min(sample.value for sample in answer.samples) < 0 or total <= 0:
        return inconclusive(
            "no traffic was served" if total == 0 else "negative traffic; is it a rate of a counter?"
        )
    shares = {label: 100 * value / total for label, value in served.items()}
    return _held_against(_wanted(split, agreement), shares, agreement)


def _served(answer: Answer, by: str) -> dict[str, float]:
    served: dict[str, float] = {}
    for sample in answer.samples:
        label = sample.labels.get(by) or UNLABELLED
        served[label] = served.get(label, 0.0) + sample.value
    return served


def _wanted(split: Split, agreement: Agreement) -> dict[str, int]:
    """Points by label; subsets that share a label add up."""
    label_of = dict(agreement.labels)
    wanted: dict[str, int] = {}
    for subset in split:
        label = label_of.get(subset, subset)
        wanted[label] = wanted.get(label, 0) + split[subset]
    return wanted


def _held_against(wanted: Mapping[str, int], shares: Mapping[str, float], agreement: Agreement) -> Judged:
    labels = sorted({*wanted, *shares})
    off = {label: abs(shares.get(label, 0.0) - wanted.get(label, 0)) for label in labels}
    worst = max(labels, key=lambda label: (off[label], label))
    verdict = Verdict.PASSED if off[worst] <= agreement.tolerance + 100 * ROUNDING else Verdict.FAILED
    served = ", ".join(f"{label} {shares.get(label, 0.0):.1f} %" for label in labels)
    said = (
        f"served {served}; {worst} is {off[worst]:.1f} points from its weight {wanted.get(worst, 0)}, "
        f"at most {number(agreement.tolerance)} allowed: {verdict}"
    )
    facts = {
        "shares": dict(shares),
        "weights": dict(wanted),
        "tolerance": agreement.tolerance,
        "by": agreement.by,
    }
    return Judged(off[worst], verdict, said, facts)
