"""One measurement's evidence becomes one of three verdicts; nobody else judges.

The precedence, from first to last; the first that holds decides:

1.  A query has no answer, or the source warns of a partial one (unless the check allows that warning by
    text), or says more than 100 series or 64 KiB, or one series twice: inconclusive.
2.  The answer is about another time, or its newest raw sample is older than what is to be judged (*since*),
    or older than two minutes: inconclusive.
3.  A value is NaN or infinite: inconclusive.
4.  There is no series: what the check's `noData` says, inconclusive unless it says otherwise. A ratio whose
    `bad` alone has no series counts 0 bad requests.
5.  There are several series and no `reduce`: inconclusive.
6.  Counts that cannot be counts (negative, clearly more bad than all), or fewer than `minSamples`:
    inconclusive.
7.  The judgement itself: bounds included; a ratio passes within its bound, fails when the whole 0.95 interval
    lies beyond it, and is inconclusive between; a split is held against the weights by label; a comparison
    fails when chance does not explain the excess.

With `reduce: each` every series is judged by itself from step 3 on, and the worst one is the verdict: failed
before inconclusive before passed. Nothing else passes: what cannot be judged is inconclusive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from runner.engine.agreement import judge_agreement
from runner.engine.comparison import judge_comparison
from runner.engine.judged import (
    Judged,
    allowed,
    bounds_json,
    count,
    inconclusive,
    percent,
    percent_bound,
    plain,
    with_unit,
    within,
)
from runner.engine.statistics import wilson
from runner.engine.sufficiency import Counts, counted, no_series, not_a_number, why_no_evidence
from runner.model.checks import Agreement, Bounds, Check, Comparison, Query, Ratio, Reduce, Verdict
from runner.model.evidence import Answer, Evidence, Sample
from runner.model.split import Split

RATIO_CONFIDENCE = 0.95  # of the interval that a ratio is judged by
WORST_FIRST = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)


def judge(
    check: Check,
    evidence: Evidence,
    *,
    now: float,
    since: float | None = None,
    live: Split | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
    looks: int | None = None,
) -> Judged:
    """The verdict on *check* at Unix time *now*, by the precedence written above.

    *since* is the time before which no sample may lie (the last shift, the canary's first traffic); *live*
    the weights at that moment, for a split. A comparison adds up what was counted since the last shift:
    *earlier* are the facts `look` of the check's measurements since then, and *looks* how many are planned
    (None: no end).
    """
    reason = why_no_evidence(check, evidence, now=now, since=since)
    if reason is not None:
        return inconclusive(reason)
    answers = {part: answer for part, answer in evidence.items() if isinstance(answer, Answer)}
    match check.measure, check.judgement:
        case Query(), Bounds() as bounds:
            return _query(check, answers["query"], bounds)
        case Query(), Agreement() as agreement:
            return judge_agreement(check, answers["query"], agreement, live)
        case Ratio() as ratio, Bounds() as bounds:
            return _ratio(check, answers, ratio, bounds)
        case Comparison() as comparison, Comparison():
            return judge_comparison(check, answers, comparison, now=now, earlier=earlier, looks=looks)
        case _:
            return inconclusive("this judgement does not fit what the check measures")


def _query(check: Check, answer: Answer, bounds: Bounds) -> Judged:
    samples = answer.samples
    if not samples:
        return no_series(check, "query")
    if len(samples) == 1:
        return _bounded(check, samples[0].value, bounds)
    match check.reduce:
        case None:
            return inconclusive(f"{len(samples)} series, and no `reduce` says what becomes of them")
        case Reduce.EACH:
            return _worst([(sample, _bounded(check, sample.value, bounds)) for sample in samples])
        case Reduce.MAX | Reduce.MIN | Reduce.SUM | Reduce.AVG as reduce:
            values = [sample.value for sample in samples]
            judged = _bounded(check, REDUCERS[reduce](values), bounds)
            facts = {**judged.facts, "reduce": reduce.value, "values": [plain(value) for value in values]}
            return replace(judged, reason=f"{reduce.value} of {len(values)}: {judged.reason}", facts=facts)
        case _:
            assert_never(check.reduce)


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


REDUCERS: Mapping[Reduce, Callable[[Sequence[float]], float]] = {
    Reduce.MAX: max,
    Reduce.MIN: min,
    Reduce.SUM: sum,
    Reduce.AVG: _average,
}


def _bounded(check: Check, value: float, bounds: Bounds) -> Judged:
    facts = {"values": [plain(value)], "bounds": bounds_json(bounds)}
    odd = not_a_number(value)
    if odd is not None:
        return inconclusive(odd, facts)
    limits = [None if bound is None else with_unit(bound, check.unit) for bound in (bounds.min, bounds.max)]
    if limits == [None, None]:
        return inconclusive("the check has no bound", facts, value)
    verdict = Verdict.PASSED if within(value, bounds) else Verdict.FAILED
    said = f"{with_unit(value, check.unit)}, {allowed(limits[0], limits[1])}: {verdict}"
    return Judged(value, verdict, said, facts)


def _worst(judged: Sequence[tuple[Sample, Judged]]) -> Judged:
    """The worst of several series; among equals the first by label, so an answer's order is no matter."""
    ordered = sorted(
        judged, key=lambda pair: (WORST_FIRST.index(pair[1].verdict), sorted(pair[0].labels.items()))
    )
    sample, worst = ordered[0]
    facts = {
        "reduce": Reduce.EACH.value,
        "each": [{"labels": dict(s.labels), "verdict": j.verdict.value, **j.facts} for s, j in ordered],
    }
    name = ",".join(f'{label}="{value}"' for label, value in sorted(sample.labels.items()))
    return replace(worst, reason=f"worst of {len(judged)}, {{{name}}}: {worst.reason}", facts=facts)


def _ratio(check: Check, answers: Mapping[str, Answer], ratio: Ratio, bounds: Bounds) -> Judged:
    bad, of = answers["bad"], answers["of"]
    if not of.samples:
        return no_series(check, "of")
    if check.reduce is Reduce.EACH:
        pairs = _paired(bad, of)
        if isinstance(pairs, str):
            return inconclusive(pairs)
        return _worst(
            [(sample, _rate(Counts(x, sample.value).at_most_all(), ratio, bounds)) for sample, x in pairs]
        )
    counts = counted(check, bad, of)
    return inconclusive(counts) if isinstance(counts, str) else _rate(counts, ratio, bounds)


def _paired(bad: Answer, of: Answer) -> list[tuple[Sample, float]] | str:
    """Every `of` series with the bad count of the same labels, 0 where it has none."""
    by_labels = {frozenset(sample.labels.items()): sample.value for sample in bad.samples}
    pairs = [(sample, by_labels.pop(frozenset(sample.labels.items()), 0.0)) for sample in of.samples]
    return "a `bad` series has labels that no `of` series has" if by_labels else pairs


def _rate(counts: Counts, ratio: Ratio, bounds: Bounds) -> Judged:
    facts = {
        "bad": counts.bad,
        "of": counts.of,
        "minSamples": ratio.min_samples,
        "bounds": bounds_json(bounds),
    }
    problem = counts.impossible or counts.too_few(ratio.min_samples)
    if problem is not None:
        return inconclusive(problem, _finite(facts), counts.rate)
    low, high = wilson(counts.bad, counts.of, RATIO_CONFIDENCE)
    facts = {**facts, "interval": [low, high], "confidence": RATIO_CONFIDENCE}
    said = f"{count(counts.bad)} of {count(counts.of)} requests failed, {percent(counts.bad / counts.of)}"
    limits = [None if bound is None else percent_bound(bound) for bound in (bounds.min, bounds.max)]
    if limits == [None, None]:
        return inconclusive("the check has no bound", facts, counts.rate)
    verdict = _rate_verdict(counts.bad / counts.of, low, high, bounds)
    if verdict is Verdict.INCONCLUSIVE:
        said = f"{said} (likely {percent(low)} to {percent(high)})"
    return Judged(counts.rate, verdict, f"{said}, {allowed(limits[0], limits[1])}: {verdict}", facts)


def _rate_verdict(rate: float, low: float, high: float, bounds: Bounds) -> Verdict:
    if within(rate, bounds):
        return Verdict.PASSED
    beyond = bounds.max is not None and low > bounds.max
    below = bounds.min is not None and high < bounds.min
    return Verdict.FAILED if beyond or below else Verdict.INCONCLUSIVE


def _finite(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(fact) if isinstance(fact, float) else fact for name, fact in facts.items()}
