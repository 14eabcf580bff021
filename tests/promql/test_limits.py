"""No query hangs or fills the memory: what is too much is refused."""

import time

import pytest

from runner.promql import (
    LimitError,
    Limits,
    MemoryStorage,
    ParameterError,
    evaluate,
    evaluate_range,
    to_api,
)
from runner.promql.re2 import PatternError, compile_tree, parse
from runner.promql.re2.automaton import Pattern

SMALL = Limits(work=200_000, samples=2_000, steps=100, series=50)


def storage(series: int = 10, samples: int = 100) -> MemoryStorage:
    made = MemoryStorage()
    for number in range(series):
        one = made.series({"__name__": "a", "n": str(number)})
        for tick in range(samples):
            one.append(tick * 1000, float(tick))
    return made


@pytest.mark.parametrize(
    "expression",
    [
        "sum_over_time(vector(1)[10y:1s])",
        "sum_over_time(sum_over_time(vector(1)[1y:1s])[1y:1s])",
        "max_over_time(none[10y:1s])",
        "count_over_time(a[10y:1s])",
        "sum_over_time(vector(time())[1y:1ms])",
        "stddev_over_time((a + a + a)[1h:1s])",
    ],
)
def test_a_subquery_bomb_is_refused(expression):
    with pytest.raises(LimitError):
        evaluate(expression, storage(), 100, limits=SMALL)


def test_a_subquery_of_too_many_moments_is_refused_before_any_work():
    """With the limits that a person has: two million moments are seconds of work."""
    used = time.process_time()

    with pytest.raises(LimitError, match="more than 2,000,000 samples"):
        evaluate("sum_over_time(none[10y:1ms])", storage(), 100)

    assert time.process_time() - used < 1.0


def test_a_long_range_of_a_wide_query_is_refused():
    with pytest.raises(LimitError):
        evaluate_range("a", storage(), 0, 99, 0.5 * 2, limits=Limits(work=200_000, samples=500, steps=200))


def test_too_many_series_are_refused():
    with pytest.raises(LimitError, match="selects 60 series"):
        evaluate("a", storage(series=60, samples=1), 0, limits=SMALL)


def test_more_steps_than_the_http_api_allows_are_refused():
    with pytest.raises(ParameterError, match="exceeded maximum resolution of 11,000 points"):
        evaluate_range("1", MemoryStorage(), 0, 11_001, 1)

    assert to_api(evaluate_range("1", MemoryStorage(), 0, 11_000, 1))["status"] == "success"


@pytest.mark.parametrize(("start", "end", "step"), [(10, 5, 1), (0, 10, 0), (0, 10, -1), (0, 10, 0.0001)])
def test_a_range_that_makes_no_sense_is_refused(start, end, step):
    with pytest.raises(ParameterError):
        evaluate_range("1", MemoryStorage(), start, end, step)


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_a_time_that_is_none_is_refused(at):
    with pytest.raises(ParameterError):
        evaluate("1", MemoryStorage(), at)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 5_000 + "b"),
        ("(a|aa)+", "a" * 5_000 + "b"),
        ("(.*)(.*)(.*)(.*)(.*)(.*)x", "y" * 2_000),
        ("(([a-z]+)*)*!", "abc" * 1_000),
        ("(x+x+)+y", "x" * 5_000),
    ],
)
def test_patterns_that_make_others_hang_do_not(pattern, text):
    compiled = Pattern(pattern, compile_tree(parse(pattern)))

    assert not compiled.matches(text)
    assert compiled.left > 0


def test_a_pattern_has_an_allowance_for_each_query():
    compiled = Pattern("x", compile_tree(parse("(?:a?){500}a{500}")))
    compiled.left = 100

    with pytest.raises(LimitError):
        compiled.matches("a" * 400)
    compiled.refill()

    assert not compiled.matches("a" * 400)


def test_a_pattern_that_grows_without_bound_is_refused():
    with pytest.raises(PatternError, match="too large"):
        compile_tree(parse("([a-z]{10}[0-9]{10}[A-Z]{10}){100}([a-z]{10}[0-9]{10}[A-Z]{10}){100}"))
