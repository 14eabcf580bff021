"""What can be said about a query without data."""

import pytest

from runner.promql import MemoryStorage, inspect, newest_sample

ARTICLE = (
    'sum(irate(istio_requests_total{destination_app="reviews"}[1m])) '
    "by (destination_canonical_revision,destination_app)"
)


def test_the_articles_query():
    facts = inspect(ARTICLE)

    assert facts.metrics == ("istio_requests_total",)
    assert (facts.shortest_window, facts.longest_window, facts.reach) == (60, 60, 60)
    assert facts.grouped_by == ("destination_app", "destination_canonical_revision")
    assert facts.uses_irate
    assert not facts.filters
    assert facts.refused == ()


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("a", 0),
        ("1 + 1", 0),
        ("a offset 5m", 300),
        ("rate(a[5m] offset 1m)", 360),
        ("max_over_time(rate(a[1m])[10m:1m])", 660),
        ("max_over_time(rate(a[1m] offset 30s)[10m:1m] offset 2m)", 810),
        ("rate(a[1m]) / rate(b[1h])", 3600),
        ("a offset -5m", -300),
        ("a @ 100", None),
        ("max_over_time(a[5m:1m] @ end())", None),
    ],
)
def test_how_far_back_a_query_looks(text, reach):
    assert inspect(text).reach == reach


def test_a_comparison_at_the_top_filters():
    assert inspect("sum(a) > 0.5").filters
    assert not inspect("sum(a) > bool 0.5").filters
    assert not inspect("sum(a > 0.5)").filters


def test_a_selector_can_be_asked_for_alone():
    facts = inspect('rate(a{b="c\\"d",e=~"f.*"}[5m]) + {__name__=~"x|y"} + {"odd name"}')

    assert [selector.text for selector in facts.selectors] == [
        'a{b="c\\"d", e=~"f.*"}',
        '{__name__=~"x|y"}',
        '{__name__="odd name"}',
    ]
    for selector in facts.selectors:
        assert inspect(selector.text).selectors[0].matchers == selector.matchers


def test_refusals_are_told_all_at_once():
    facts = inspect("limitk(1, a) + histogram_count(b) + info(c)")

    assert [error.feature for error in facts.refused] == ["limitk", "histogram_count", "info"]
    assert facts.metrics == ("a", "b", "c")


def test_the_newest_sample_is_one_the_query_can_read():
    world = MemoryStorage()
    for at in (10_000, 20_000, 30_000):
        world.append({"__name__": "a"}, at, 1)

    assert newest_sample("rate(a[1m])", world, 40) == 30
    assert newest_sample("rate(a[1m] offset 15s)", world, 40) == 20
    assert newest_sample("rate(a[5s])", world, 40) is None
    assert newest_sample("none", world, 40) is None
