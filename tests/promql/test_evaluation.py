"""Answers of the evaluator on small worlds that fit in the head."""

import pytest

from runner.promql import (
    STALE,
    EvaluationError,
    MemoryStorage,
    QuerySyntaxError,
    RefusedError,
    Scalar,
    evaluate,
    evaluate_range,
    to_api,
)


def storage(**series: list[float | None]) -> MemoryStorage:
    """One series per name, a sample every 10 s from 10 s on; None where there is none."""
    made = MemoryStorage()
    for name, values in series.items():
        for index, value in enumerate(values, start=1):
            if value is not None:
                made.append({"__name__": name}, index * 10_000, value)
    return made


def value(expression: str, world: MemoryStorage, at: float) -> str | None:
    result = to_api(evaluate(expression, world, at))["data"]["result"]
    return result[0]["value"][1] if result else None


def test_a_sample_five_minutes_old_is_gone():
    world = storage(up=[1])

    assert value("up", world, 309.999) == "1"
    assert value("up", world, 310) is None


def test_a_range_leaves_its_left_edge_out():
    world = storage(up=[1, 2, 3])

    assert value("count_over_time(up[20s])", world, 30) == "2"


def test_a_stale_series_is_absent_at_once():
    world = storage(up=[1, STALE])

    assert value("up", world, 20) is None
    assert value("count_over_time(up[1m])", world, 20) == "1"


def test_a_counter_reset_is_added_back():
    world = storage(c=[0, 50, 10, 60])

    assert value("increase(c[30s])", world, 40) == "90"


def test_scalars_stay_scalars():
    assert evaluate("1 + 2 * 3", MemoryStorage(), 0) == Scalar(7.0, 0)


def test_a_range_query_answers_every_step():
    world = storage(c=[1, 2, 3])

    body = to_api(evaluate_range("c * 2", world, 10, 30, 10))

    assert body["data"] == {
        "resultType": "matrix",
        "result": [{"metric": {}, "values": [[10, "2"], [20, "4"], [30, "6"]]}],
    }


def test_two_series_that_become_one_are_an_error():
    world = storage(a=[1], b=[2])

    with pytest.raises(EvaluationError, match="same labelset"):
        evaluate('abs({__name__=~"a|b"})', world, 10)


def test_what_is_not_supported_is_refused_by_name():
    with pytest.raises(RefusedError) as caught:
        evaluate("histogram_count(a)", MemoryStorage(), 0)

    assert caught.value.feature == "histogram_count"
    assert to_api(caught.value)["errorType"] == "bad_data"


def test_text_that_is_no_promql_says_where():
    with pytest.raises(QuerySyntaxError) as caught:
        evaluate("sum(", MemoryStorage(), 0)

    assert caught.value.offset == 4
