"""Text that is no PromQL is told with its place; what would hurt the parser never reaches it."""

import pytest

from runner.promql import (
    MemoryStorage,
    PromQLError,
    QuerySyntaxError,
    RefusedError,
    evaluate,
    inspect,
    to_api,
)
from runner.promql.catalogue import AGGREGATIONS, REFUSED
from runner.promql.syntax import parse
from runner.promql.tree import Selector

PLACES = {
    "sum(": 4,
    "sum(rate(x[5m]) by (job)": 16,
    "a b": 2,
    "rate(a)": 0,
    "1 + foo(a)": 4,
    "a{b=}": 4,
    "a{b=c}": 4,
    "a[5m": 4,
    "a +": 3,
    "sum by (job errors": 12,
    "a offset": 8,
    "a @ foo": 4,
    'errors{a="b"': 12,
    '1 + "x': 4,
    'a{b=~"["}': 5,
    "a and 1": 2,
    "sum(a) by (x) y": 14,
    "a $ b": 2,
    "histogram_quantile(0.9 sum(a))": 23,
    "rate(a[5m]))": 11,
    'a{b="c" d="e"}': 8,
    "sum(x) > > 3": 9,
    'a{b="\\q"}': 5,
    "1 + 1e999": 4,
}


@pytest.mark.parametrize(("text", "offset"), PLACES.items())
def test_a_syntax_error_says_where(text, offset):
    with pytest.raises(QuerySyntaxError) as caught:
        inspect(text)

    assert caught.value.offset == offset


def test_vague_words_become_a_word_of_the_text():
    with pytest.raises(QuerySyntaxError, match='unexpected "y"'):
        inspect("sum(a) by (x) y")


HURTFUL = {
    "deep parentheses": "(" * 20_000 + "a" + ")" * 20_000,
    "a long chain": "a" + "+a" * 20_000,
    "many signs": "-" * 20_000 + "a",
    "a long power": "a" + "^a" * 20_000,
    "deep calls": "abs(" * 3_000 + "a" + ")" * 3_000,
    "a long text": "a or " * 50_000 + "a",
    "a range beyond time": "a[1e20]",
    "an offset beyond time": "a offset 1e30",
    "an infinite offset": "a offset Inf",
    "a duration of ages": "a[99999999999999999y]",
    "a step below a millisecond": "a[5m:0.0001]",
    "a long number": "9" * 5_000,
    "a long hexadecimal number": "0x" + "f" * 5_000,
    "a lone surrogate": 'a{b="\udcff"}',
    "half a character": 'a{b="\\xff"}',
    "a nested pattern": 'a{b=~"' + "(" * 5_000 + ")" * 5_000 + '"}',
    "a repeated repetition": 'a{b=~"((x{100}){100}){100}"}',
}


@pytest.mark.parametrize("text", HURTFUL.values(), ids=HURTFUL)
def test_what_would_hurt_is_refused(text):
    with pytest.raises(PromQLError) as caught:
        evaluate(text, MemoryStorage(), 0)

    assert to_api(caught.value)["errorType"] == "bad_data"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_every_refused_name_is_named(name):
    texts = {
        **dict.fromkeys(["start", "end", "step", "range"], f"{name}()"),
        **dict.fromkeys(["min_of", "max_of"], f"{name}(1, 2)"),
        **dict.fromkeys(["limitk", "limit_ratio"], f"{name}(1, a)"),
        **dict.fromkeys(["sort_by_label", "sort_by_label_desc"], f'{name}(a, "b")'),
        **dict.fromkeys(["double_exponential_smoothing", "holt_winters"], f"{name}(a[5m], 0.5, 0.5)"),
        "histogram_quantiles": 'histogram_quantiles(a, "q", 0.5)',
    }
    with_range = f"{name}(a[5m])" if "over_time" in name or name == "integral" else f"{name}(a)"

    with pytest.raises(RefusedError) as caught:
        parse(texts.get(name, with_range))

    assert caught.value.feature == name
    assert name in caught.value.message


def test_fill_and_alternatives_between_matchers_are_refused():
    assert [error.feature for error in inspect("a + fill(0) b").refused] == ["fill"]
    assert [error.feature for error in inspect('a{b="c" or d="e"}').refused] == ["or between matchers"]


def test_moments_before_1970_are_kept():
    tree = parse("a @ -1.5 offset -2m")

    assert isinstance(tree, Selector)
    assert (tree.at, tree.offset) == (-1500, -120_000)


def test_times_offsets_and_patterns_stay_with_their_selectors():
    tree = parse('max_over_time((a{x=~"1"} @ 1)[5m:1m] @ 2 offset 3s) + b{y!~"2"} @ 4 offset 0s')

    left, right = tree.left, tree.right
    subquery = left.arguments[0]
    assert (subquery.expression.at, subquery.at, subquery.offset) == (1000, 2000, 3000)
    assert (right.at, right.offset) == (4000, 0)
    assert (subquery.expression.matchers[1].value, right.matchers[1].value) == ("1", "2")


def test_aggregations_that_are_not_refused_are_known():
    assert AGGREGATIONS.isdisjoint(REFUSED)
