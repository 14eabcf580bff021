"""What the forecast promises is held against exact chances and against published arithmetic."""

import pytest
from scipy import stats

from runner.engine.forecast import Assumed, forecast
from runner.engine.power import (
    Looks,
    at_least,
    comparison_power,
    ratio_alarms,
    requests_needed,
    requests_to_show,
    smallest_seen,
)
from runner.engine.statistics import excess_p_value, wilson
from runner.model.checks import Agreement, Allow, Bounds, Check, Comparison, Query, Ratio
from runner.model.playbook import Guard, OnFailure, Playbook, Route, Target
from runner.model.split import canary_split
from runner.model.stages import OnInconclusive, Promote, Shift, Stage, Verify, Wait

# base rate, bad rate, canary share, canary requests (one-sided 5 %, power 80 %), soak at 10 requests/s in minutes
TABLE = [
    (0.001, 0.01, 0.2, 409, 3.4),
    (0.005, 0.01, 0.2, 2132, 17.8),
    (0.01, 0.02, 0.2, 1059, 8.8),
    (0.01, 0.05, 0.2, 117, 1.0),
    (0.01, 0.02, 0.05, 850, 28),
    (0.001, 0.002, 0.2, 10723, 89),
]


@pytest.mark.parametrize(("base", "bad", "share", "requests", "minutes"), TABLE)
def test_requests_needed_are_those_of_the_two_proportion_formula(base, bad, share, requests, minutes):
    assert requests_needed(base, bad, share) == requests
    assert requests / (10 * share) / 60 == pytest.approx(minutes, abs=0.5)


@pytest.mark.parametrize(("base", "bad", "share", "requests", "minutes"), TABLE)
@pytest.mark.parametrize("alpha", [0.05, 0.0369])
def test_forecast_power_is_within_five_points_of_the_exact_power(base, bad, share, requests, minutes, alpha):
    stable = round(requests * (1 - share) / share)

    said = comparison_power(bad, requests, stable, base, Looks(1, alpha), unseen=0.0)

    assert said == pytest.approx(exact_power(base, bad, requests, stable, alpha), abs=0.05)


def exact_power(base, bad, of, base_of, alpha):
    """Every outcome of both sides, weighed: the fewest bad canary requests that are rejected for each stable count."""
    power, x = 0.0, 0
    for y in range(int(stats.binom.ppf(1 - 1e-9, base_of, base)) + 2):
        while excess_p_value(x, of, y, base_of, 0.0) >= alpha:
            x += 1
        power += stats.binom.pmf(y, base_of, base) * stats.binom.sf(x - 1, of, bad)
    return power


@pytest.mark.parametrize(
    ("rate", "of", "highest"), [(0.05, 240, 0.01), (0.02, 1200, 0.01), (0.3, 40, 0.01), (0.01, 500, 0.01)]
)
def test_chance_of_an_alarm_counts_every_outcome(rate, of, highest):
    alarming = [x for x in range(of + 1) if wilson(x, of, 0.95)[0] > highest]

    assert ratio_alarms(rate, of, highest) == pytest.approx(
        sum(stats.binom.pmf(alarming, of, rate)), rel=1e-9
    )


@pytest.mark.parametrize(
    ("requests", "false_alarm", "missed"), [(12, 0.058, 0.78), (60, 0.26, 0.30), (600, 0.033, 0.044)]
)
def test_plain_threshold_is_as_bad_as_its_published_arithmetic_says(requests, false_alarm, missed):
    """A bare `at most 1 %` on one window: true rates of 0.5 % (good) and 2 % (bad)."""
    most = int(requests * 0.01)

    assert stats.binom.sf(most, requests, 0.005) == pytest.approx(false_alarm, abs=0.01)
    assert stats.binom.cdf(most, requests, 0.02) == pytest.approx(missed, abs=0.01)
    # The interval alarms for fewer good canaries than the bare threshold does.
    assert ratio_alarms(0.005, requests, 0.01) < stats.binom.sf(most, requests, 0.005)


def test_at_least_counts_independent_alarms():
    assert at_least(1, 5, 0.2) == pytest.approx(1 - 0.8**5)
    assert at_least(2, 2, 0.2) == pytest.approx(0.04)


def test_smallest_seen_is_where_power_is_reached():
    seen = smallest_seen(lambda rate: ratio_alarms(rate, 240, 0.01), 0.01)

    assert ratio_alarms(seen, 240, 0.01) >= 0.8
    assert ratio_alarms(seen * 0.99, 240, 0.01) < 0.8


def test_nothing_is_seen_where_not_even_total_failure_is():
    assert smallest_seen(lambda rate: ratio_alarms(rate, 0, 0.01), 0.01) is None


@pytest.mark.parametrize(("base", "highest"), [(0.0, 0.01), (0.001, 0.01), (0.005, 0.01)])
def test_requests_to_show_bring_the_whole_interval_within_the_bound(base, highest):
    requests = requests_to_show(base, highest)

    assert wilson(base * requests, requests, 0.95)[1] <= highest
    assert wilson(base * (requests - 1), requests - 1, 0.95)[1] > highest


def test_what_is_no_better_than_its_bound_never_shows_it():
    assert requests_to_show(0.01, 0.01) is None


MINUTE = Query("x", 60)
ERRORS = Check("errors", Ratio(MINUTE, MINUTE), Bounds(max=0.01))
SPLIT = Check("split", MINUTE, Agreement(by="version", tolerance=10, route="reviews"))
LATENCY = Check("latency", MINUTE, Bounds(max=250))
ARMS = Comparison(Ratio(MINUTE, MINUTE), Ratio(MINUTE, MINUTE), Allow.POINTS, 0.0)
WORSE = Check("worse", ARMS, ARMS)


def playbook(*stages, guards=(), **options):
    route = Route("reviews", "reviews", "default", "v3", "v1")
    return Playbook("p", "1", Target("default"), (route,), tuple(guards), tuple(stages), **options)


def shift(share):
    return Stage(f"shift {share}", Shift("reviews", canary_split("v1", "v3", share)))


def verify(*checks, **options):
    return Stage("verify", Verify(checks, **options))


def test_gate_sees_smaller_regressions_with_more_traffic():
    canary = playbook(shift(20), verify(ERRORS))

    sees = [forecast(canary, Assumed({"reviews": rate})).gates[0].sees for rate in (10, 20, 200)]

    assert sees == sorted(sees, reverse=True)
    assert 0.01 < sees[-1] < 0.02


def test_gate_that_never_has_enough_requests_is_named():
    gate = forecast(playbook(shift(20), verify(ERRORS)), Assumed({"reviews": 1})).gates[0]

    assert not gate.enough
    assert gate.sees is None
    assert "at least 30 needed" in gate.note


def test_comparison_at_everything_has_nothing_to_compare_with():
    gate = forecast(playbook(shift(100), verify(WORSE)), Assumed({"reviews": 20})).gates[0]

    assert gate.sees is None
    assert "no traffic to compare" in gate.note


def test_comparison_sees_what_the_table_says_it_sees():
    """10,723 requests that count tell 0.2 % from 0.1 %: one look of a minute, at the traffic that brings them."""
    rate = 10_723 / 0.75 / 60 / 0.2

    gate = forecast(playbook(shift(20), verify(WORSE, count=1)), Assumed({"reviews": rate})).gates[0]

    assert gate.sees == pytest.approx(0.002, rel=0.07)


def test_comparison_sees_less_where_the_first_failure_of_a_new_series_weighs():
    rate = 409 / 0.75 / 60 / 0.2

    gate = forecast(playbook(shift(20), verify(WORSE, count=1)), Assumed({"reviews": rate})).gates[0]

    assert gate.sees == pytest.approx(0.01 + 1 / 409, rel=0.05)


def test_looking_before_the_end_adds_what_it_finds_early():
    one = comparison_power(0.02, 1059, 4236, 0.01, Looks(5, 0.037), unseen=0.0)
    two = comparison_power(0.02, 1059, 4236, 0.01, Looks(5, 0.037, 0.0107), unseen=0.0)

    assert one < two < one + 0.05


def test_split_sees_its_tolerance_and_the_noise_of_chance():
    gate = forecast(playbook(shift(20), verify(SPLIT)), Assumed({"reviews": 20})).gates[0]

    assert 0.10 < gate.sees < 0.12


def test_value_is_judged_whatever_the_traffic():
    gate = forecast(playbook(shift(20), verify(LATENCY)), Assumed({"reviews": 20})).gates[0]

    assert (gate.sees, gate.enough) == (None, True)


def test_guard_limits_what_a_bad_canary_costs():
    guarded = playbook(shift(20), Stage("soak", Wait(600)), verify(ERRORS), guards=[Guard(ERRORS, "reviews")])
    bare = playbook(shift(20), Stage("soak", Wait(600)), verify(ERRORS))
    assumed = Assumed({"reviews": 20})

    [with_guard], [without] = forecast(guarded, assumed).exposures, forecast(bare, assumed).exposures

    assert with_guard.expected < 500
    assert without.expected > 2400  # 4 requests a second for the whole soak
    assert with_guard.expected < with_guard.worst < without.worst


def test_exposure_follows_the_share_of_later_stages():
    steps = playbook(shift(10), Stage("a", Wait(100)), shift(50), Stage("b", Wait(100)), verify(ERRORS))

    first, second = forecast(steps, Assumed({"reviews": 10})).exposures

    assert first.expected == pytest.approx(100 + (first.seconds[0] - 100) * 5)
    assert second.expected == pytest.approx(second.seconds[0] * 5)


@pytest.mark.parametrize(
    "unstopped",
    [
        playbook(shift(20), Stage("soak", Wait(600))),
        playbook(shift(20), verify(ERRORS, on_inconclusive=OnInconclusive.PAUSE)),
        playbook(shift(20), verify(ERRORS), on_failure=OnFailure.HOLD),
        playbook(shift(20), verify(SPLIT)),
    ],
    ids=["no gate", "pauses", "holds", "looks at no errors"],
)
def test_nothing_that_would_stop_it_is_said_as_such(unstopped):
    said = forecast(unstopped, Assumed({"reviews": 20}))

    assert said.exposures[0].worst is None
    assert said.worst is None


def test_earliest_and_latest_end_come_from_the_timeline():
    said = forecast(
        playbook(shift(20), Stage("soak", Wait(600)), Stage("end", Promote("reviews"))), Assumed({})
    )

    assert (said.whole.best, said.whole.worst) == (600, 600 + 240)
