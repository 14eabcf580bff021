"""Every kind of answer gets the verdict that a person with all the data would give, and nothing passes by accident."""

import json

import pytest

from runner.engine.judge import judge
from runner.model.checks import Allow, Bounds, Check, Comparison, Query, Ratio, Verdict
from runner.model.evidence import Answer, Sample

from .answers import NOW, kinds

KINDS = kinds()
IDS = [kind.name for kind in KINDS]
MINUTE = Query("x", 60)


def judged(kind, **options):
    return judge(kind.check, kind.evidence, now=NOW, since=kind.since, live=kind.live, looks=5, **options)


def test_table_has_enough_kinds_and_each_once():
    assert len(KINDS) >= 60
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_answer_gets_its_verdict(kind):
    assert judged(kind).verdict is kind.verdict


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_sentence_ends_with_the_verdict_and_facts_are_plain_json(kind):
    result = judged(kind)

    assert result.reason.endswith(f": {result.verdict}")
    json.dumps(result.facts, allow_nan=False)
    json.dumps(result.value, allow_nan=False)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_order_of_the_series_never_matters(kind):
    backwards = {
        part: Answer(answer.samples[::-1], answer.warnings, answer.newest)
        if isinstance(answer, Answer)
        else answer
        for part, answer in kind.evidence.items()
    }
    result = judge(kind.check, backwards, now=NOW, since=kind.since, live=kind.live, looks=5)

    assert result.verdict is kind.verdict


def ratio_answer(bad, of):
    return {
        "bad": Answer((Sample({}, bad, NOW),)),
        "of": Answer((Sample({}, of, NOW),)),
    }


def test_sentence_says_what_was_counted_and_what_is_allowed():
    check = Check("errors", Ratio(MINUTE, MINUTE), Bounds(max=0.01))

    result = judge(check, ratio_answer(57, 1902), now=NOW)

    assert result.reason == "57 of 1,902 requests failed, 3.0 %, at most 1 % allowed: failed"
    assert result.facts["interval"] == pytest.approx([0.0232, 0.0386], abs=1e-4)


def test_inconclusive_ratio_says_where_the_rate_may_lie():
    check = Check("errors", Ratio(MINUTE, MINUTE), Bounds(max=0.01))

    result = judge(check, ratio_answer(2, 100), now=NOW)

    assert result.reason == (
        "2 of 100 requests failed, 2.0 % (likely 0.55 % to 7.0 %), at most 1 % allowed: inconclusive"
    )


def compare_check(allowance=0.0):
    ratio = Ratio(MINUTE, MINUTE)
    comparison = Comparison(ratio, ratio, Allow.POINTS, allowance)
    return Check("compare", comparison, comparison)


def arms(canary_bad, canary_of, stable_bad, stable_of, at=NOW):
    counts = {
        "canary.bad": canary_bad,
        "canary.of": canary_of,
        "stable.bad": stable_bad,
        "stable.of": stable_of,
    }
    return {part: Answer((Sample({}, float(value), at),)) for part, value in counts.items()}


def test_comparison_adds_up_what_was_counted_since_the_shift():
    check, earlier = compare_check(), []
    verdicts = []
    for n in range(5):
        now = NOW + 60 * n
        result = judge(check, arms(7, 240, 10, 960, now), now=now, earlier=earlier, looks=5)
        verdicts.append(result.verdict)
        earlier.append(result.facts["look"])

    assert verdicts[0] is Verdict.PASSED
    assert Verdict.FAILED in verdicts
    assert result.facts["canary"] == [35.0, 1200.0]
    assert result.facts["look"]["number"] == 5


def test_overlapping_looks_are_never_counted_twice():
    check = compare_check()
    first = judge(check, arms(7, 240, 10, 960), now=NOW, looks=5)

    again = judge(
        check, arms(7, 240, 10, 960, NOW + 15), now=NOW + 15, earlier=[first.facts["look"]], looks=5
    )

    assert again.verdict is Verdict.INCONCLUSIVE
    assert "overlaps" in again.reason
    assert "look" not in again.facts


def test_a_look_with_too_few_requests_spends_no_alpha_but_its_requests_count():
    check = compare_check()
    first = judge(check, arms(0, 20, 0, 80), now=NOW, looks=5)

    second = judge(check, arms(0, 20, 0, 80, NOW + 60), now=NOW + 60, earlier=[first.facts["look"]], looks=5)

    assert first.verdict is Verdict.INCONCLUSIVE
    assert second.verdict is Verdict.PASSED
    assert second.facts["look"]["number"] == 1
    assert second.facts["canary"] == [0.0, 40.0]


def test_looks_beyond_the_plan_reject_nobody():
    check = compare_check()
    earlier = [
        {"at": 60.0 * n, "number": n, "conclusive": True, "canary": [0, 1], "stable": [0, 1]}
        for n in range(1, 6)
    ]

    assert judge(check, arms(200, 240, 0, 960), now=NOW, earlier=earlier, looks=5).verdict is Verdict.PASSED
    assert (
        judge(check, arms(200, 240, 0, 960), now=NOW, earlier=earlier, looks=None).verdict is Verdict.FAILED
    )
