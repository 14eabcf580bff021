"""Formulas are held against scipy, which nothing but the tests depends on."""

import itertools

import pytest
from scipy import stats

from runner.engine.statistics import alpha_of_look, excess_p_value, multiple_p_value, wilson

COUNTS = [(0, 30), (1, 30), (1, 100), (3, 100), (57, 1902), (99, 100), (100, 100), (500, 100_000)]


@pytest.mark.parametrize(("bad", "of"), COUNTS)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_interval_is_wilsons(bad, of, confidence):
    theirs = stats.binomtest(bad, of).proportion_ci(confidence, method="wilson")

    assert wilson(bad, of, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_interval_of_nothing_is_everything():
    assert wilson(0, 0, 0.95) == (0.0, 1.0)


TWO_SIDES = [
    (x, n, y, m)
    for (x, n), (y, m) in itertools.product(
        [(0, 100), (1, 100), (5, 400), (20, 400), (60, 409)],
        [(0, 400), (4, 400), (16, 1600), (90, 8000)],
    )
]


@pytest.mark.parametrize(("x", "n", "y", "m"), TWO_SIDES)
@pytest.mark.parametrize("allowance", [0.0, 0.005, 0.02])
def test_excess_is_the_e_test(x, n, y, m, allowance):
    theirs = stats.poisson_means_test(x, n, y, m, diff=allowance, alternative="greater").pvalue

    ours = excess_p_value(x, n, y, m, allowance)

    if x / n - y / m <= allowance:  # no excess; scipy leaves out the outcome of no failure on either side
        assert ours >= theirs - 3e-6
    else:  # scipy sums to within 1e-6 of the whole, this to within 1e-15
        assert ours == pytest.approx(theirs, abs=3e-6)


@pytest.mark.parametrize(("x", "n", "y", "m"), TWO_SIDES)
@pytest.mark.parametrize("factor", [1.0, 1.1, 2.0])
def test_multiple_is_the_exact_conditional_test(x, n, y, m, factor):
    share = n * factor / (n * factor + m)
    theirs = stats.binomtest(x, x + y, share, alternative="greater").pvalue if x + y else 1.0

    assert multiple_p_value(x, n, y, m, factor) == pytest.approx(theirs, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("counts", [(19_990, 200_000, 80_000, 800_000), (20_010, 200_000, 80_000, 800_000)])
def test_large_counts_agree_with_the_normal_distribution(counts):
    x, n, y, m = counts
    z = (x / n - y / m) / (x / n**2 + y / m**2) ** 0.5

    assert excess_p_value(x, n, y, m, 0.0) == pytest.approx(stats.norm.sf(z), abs=2e-3)
    assert multiple_p_value(x, n, y, m, 1.0) == pytest.approx(stats.norm.sf(z), abs=5e-3)


@pytest.mark.parametrize("looks", [1, 2, 5, 20, 100])
def test_all_looks_together_spend_alpha_and_no_more(looks):
    spent = sum(alpha_of_look(look, looks, 0.05) for look in range(1, 2 * looks + 1))

    assert spent == pytest.approx(0.05, rel=1e-12)


def test_looks_without_end_spend_alpha_and_no_more():
    spent = sum(alpha_of_look(look, None, 0.05) for look in range(1, 10_000))

    assert 0.0499 < spent < 0.05


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1, 0.5])
def test_five_looks_at_a_good_canary_raise_few_false_alarms(rate):
    """Drawn directly: binomial requests, five disjoint looks, no allowance."""
    runs, looks, alarms = 1_000, 5, 0
    canary = stats.binom.rvs(100, rate, size=(runs, looks), random_state=7).cumsum(axis=1)
    stable = stats.binom.rvs(400, rate, size=(runs, looks), random_state=8).cumsum(axis=1)
    for run in range(runs):
        alarms += any(
            excess_p_value(canary[run, look], 100 * (look + 1), stable[run, look], 400 * (look + 1), 0.0)
            < alpha_of_look(look + 1, looks, 0.05)
            for look in range(looks)
        )

    assert alarms / runs < 0.05
