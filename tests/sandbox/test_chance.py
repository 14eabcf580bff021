"""Draws are exact, and the same names always give the same numbers."""

import math

import pytest

from runner.sandbox.chance import binomial, dice, fraction, multinomial, uuid, word


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (20, 0.01), (20, 0.3), (300, 0.2), (300, 0.97), (5000, 0.5), (10**6, 1e-6)]
)
def test_binomial_has_the_distribution_that_it_names(n, p):
    random = dice(1, "test", n, p)
    times = 20_000

    drawn = [binomial(random, n, p) for _ in range(times)]

    mean, variance = n * p, n * p * (1 - p)
    seen = sum(drawn) / times
    assert abs(seen - mean) < 5 * math.sqrt(variance / times)
    spread = sum((value - seen) ** 2 for value in drawn) / times
    assert spread == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize(("n", "p"), [(8, 0.4), (60, 0.3)])
def test_binomial_agrees_with_the_exact_probabilities(n, p):
    random = dice(2, "exact", n)
    times = 40_000
    counts = [0] * (n + 1)

    for _ in range(times):
        counts[binomial(random, n, p)] += 1

    exact = [math.comb(n, k) * p**k * (1 - p) ** (n - k) * times for k in range(n + 1)]
    common = [(seen, wanted) for seen, wanted in zip(counts, exact, strict=True) if wanted >= 5]
    statistic = sum((seen - wanted) ** 2 / wanted for seen, wanted in common)
    freedom = len(common) - 1
    assert statistic < freedom + 5 * math.sqrt(2 * freedom)


@pytest.mark.parametrize(
    ("n", "p", "wanted"), [(0, 0.5, 0), (7, 0.0, 0), (7, -1.0, 0), (7, 1.0, 7), (7, 2.0, 7)]
)
def test_binomial_is_certain_where_nothing_is_left_to_chance(n, p, wanted):
    assert binomial(dice(1), n, p) == wanted


def test_multinomial_loses_nothing_and_keeps_to_its_shares():
    random = dice(3, "shares")

    counts = multinomial(random, 100_000, [8.0, 0.0, 2.0])

    assert sum(counts) == 100_000
    assert counts[1] == 0
    assert counts[0] == pytest.approx(80_000, abs=5 * math.sqrt(16_000))


def test_the_same_names_draw_the_same_and_others_do_not_disturb():
    first = dice(1, "requests", "reviews", 15)
    dice(1, "requests", "other", 15).random()
    second = dice(1, "requests", "reviews", 15)

    assert first.random() == second.random()
    assert fraction(1, "a") != fraction(2, "a")
    assert word(1, 5, "pod", 1) == word(1, 5, "pod", 1)
    assert uuid(1, "x")[14] == "4"
