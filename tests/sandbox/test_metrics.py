"""Prometheus sees what the proxies and the services count, when it scrapes, and nothing else."""

import math

import pytest

from runner.model.evidence import Answer, NoAnswer
from runner.model.scenario import (
    Counts,
    Errors,
    Given,
    MetricsFault,
    MetricsTrouble,
    NotReady,
    NotReadyBecause,
    SeriesRule,
    Slowness,
    TrafficChange,
    When,
)
from tests.sandbox.test_workloads import scaled
from tests.sandbox.worlds import REVIEWS, ask, get, playbook, requests, sleep, split, world

BY_REVISION = (
    'sum(irate(istio_requests_total{destination_app="reviews"}[1m])) '
    "by (destination_canonical_revision,destination_app)"
)


def down(trouble, *, after=300.0, lasting=None):
    """Prometheus fails."""
    return When(MetricsFault(trouble), after=after, lasting=lasting)


def answer(found, expression="sum(istio_requests_total)"):
    """The whole answer."""
    return found.metrics.query(expression, found.clock.now())


def test_the_articles_query_shows_the_weights():
    found = world()
    split(found, {"v1": 80, "v3": 20})
    sleep(found, 120)

    seen = ask(found, BY_REVISION)

    total = sum(seen.values())
    assert total == pytest.approx(2 * 20)
    assert abs(seen["reviews", "v3"] / total - 0.2) < 4 * math.sqrt(0.16 / 300)


def test_series_carry_the_labels_that_istio_gives_them():
    found = world()

    sample = answer(found, 'istio_requests_total{reporter="destination"}').samples[0]

    wanted = {
        "destination_workload": "reviews-v1",
        "destination_workload_namespace": "bookinfo",
        "destination_app": "reviews",
        "destination_version": "v1",
        "destination_service": "reviews.bookinfo.svc.cluster.local",
        "destination_service_name": "reviews",
        "destination_service_namespace": "bookinfo",
        "destination_canonical_service": "reviews",
        "destination_canonical_revision": "v1",
        "source_workload": "istio-ingressgateway",
        "source_app": "istio-ingressgateway",
        "request_protocol": "http",
        "response_code": "200",
        "response_flags": "-",
        "namespace": "bookinfo",
    }
    assert wanted.items() <= dict(sample.labels).items()


def test_both_proxies_count_every_request_that_a_pod_answers():
    found = world()
    sleep(found, 300)

    assert requests(found, reporter="source") == requests(found, reporter="destination") > 0


def test_a_series_is_born_by_the_first_scrape_after_its_first_request():
    found = world()
    split(found, {"v1": 80, "v3": 20})

    before = ask(found, 'istio_requests_total{destination_version="v3"}')
    sleep(found, 15)
    after = ask(found, 'sum(istio_requests_total{destination_version="v3",reporter="source"})')

    assert before == {}
    assert 0 < after[()] <= found.tally().routes["reviews"]["v3"].requests


def test_between_scrapes_nothing_changes():
    found = world()
    changes = 0
    last = requests(found)
    for _ in range(150):
        sleep(found, 1)
        changes += last != (last := requests(found))

    assert changes == 10


def test_scrapes_come_as_often_as_the_scenario_says():
    found = world(given=Given(scrape=60.0))
    sleep(found, 600)

    assert max(ask(found, "count_over_time(istio_requests_total[10m])").values()) == 10


def test_a_pod_that_goes_ends_its_series_and_the_callers_go_on():
    found = world()
    split(found, {"v1": 50, "v3": 50})
    sleep(found, 60)
    split(found, {"v1": 100})
    scaled(found, "reviews-v3", 0)
    sleep(found, 30)

    assert requests(found, destination_version="v3", reporter="destination") == 0
    assert requests(found, destination_version="v3", reporter="source") > 0


def test_errors_of_the_canary_are_the_canarys_alone():
    found = world(When(Errors(0.3, 503), subset="canary"))
    split(found, {"v1": 80, "v3": 20})
    sleep(found, 600)

    tally = found.tally()

    count = tally.routes["reviews"]["v3"]
    assert abs(count.failed / count.requests - 0.3) < 4 * math.sqrt(0.21 / count.requests)
    assert tally.routes["reviews"]["v1"].failed == 0
    assert requests(found, response_code="503", destination_version="v3", reporter="destination") > 0
    assert tally.since_canary["reviews"].requests == tally.total.requests


def test_latency_shows_in_the_histogram():
    found = world(When(Slowness(add=800.0), subset="canary"), given=Given(latency=(("reviews", 100.0),)))
    split(found, {"v1": 50, "v3": 50})
    sleep(found, 300)

    medians = ask(
        found,
        "histogram_quantile(0.5, sum by (le, destination_version) "
        "(rate(istio_request_duration_milliseconds_bucket[2m])))",
    )
    means = ask(
        found,
        "sum by (destination_version) (rate(istio_request_duration_milliseconds_sum[2m])) / "
        "sum by (destination_version) (rate(istio_request_duration_milliseconds_count[2m]))",
    )

    assert medians["v1",] == pytest.approx(100, rel=0.25)
    assert medians["v3",] == pytest.approx(900, rel=0.25)
    assert means["v3",] - means["v1",] == pytest.approx(800, rel=0.02)


def test_the_histogram_counts_the_requests():
    found = world()
    sleep(found, 300)

    counts = ask(found, "sum(istio_request_duration_milliseconds_count)")
    widest = ask(found, 'sum(istio_request_duration_milliseconds_bucket{le="+Inf"})')

    assert counts == widest == {(): requests(found)}


def test_traffic_stops_and_comes_again():
    found = world(When(TrafficChange(rate=0.0), after=60.0, lasting=60.0))
    sleep(found, 180)

    start = found.setup.start

    assert found.tally(start, start + 60).total.requests == 1200
    assert found.tally(start + 60, start + 120).total.requests == 0
    assert found.tally(start + 120, start + 180).total.requests == 1200


def test_traffic_to_the_canary_alone_can_dry_up():
    found = world(When(TrafficChange(factor=0.0), subset="canary"))
    split(found, {"v1": 50, "v3": 50})
    sleep(found, 300)

    routes = found.tally().routes["reviews"]

    assert "v3" not in routes
    assert routes["v1"].requests == pytest.approx(3000, abs=200)


def test_a_metric_of_ones_own_counts_the_same_requests():
    rules = (
        SeriesRule(
            "http_server_requests_seconds_count",
            Counts.REQUESTS,
            (("app", "{app}"), ("version", "{version}"), ("outcome", "{class}")),
        ),
        SeriesRule("errors_total", Counts.FAILURES, (("version", "{subset}"),)),
        SeriesRule("http_seconds", Counts.DURATION, (("version", "{subset}"),)),
    )
    labelled = playbook(routes=(_labelled(REVIEWS),))
    found = world(When(Errors(0.5), subset="canary"), given=Given(series=rules), of=labelled)
    split(found, {"v1": 50, "v3": 50})
    sleep(found, 300)

    own = ask(found, "sum by (version, outcome) (http_server_requests_seconds_count)")
    failures = ask(found, "sum by (version) (errors_total)")

    assert set(own) == {("SUCCESS", "v1"), ("SUCCESS", "3.0"), ("SERVER_ERROR", "3.0")}
    assert sum(own.values()) == requests(found, reporter="destination")
    assert failures == {("v1",): 0.0, ("v3",): own["SERVER_ERROR", "3.0"]}
    assert ask(found, "sum(http_seconds_count)") == {(): sum(own.values())}
    assert 0.01 < ask(found, "histogram_quantile(0.5, sum by (le) (rate(http_seconds_bucket[2m])))")[()] < 0.1


def _labelled(route):
    from dataclasses import replace

    return replace(route, labels=(("v3", "3.0"),))


def test_pods_stay_apart_whatever_labels_a_metric_of_ones_own_has():
    rule = SeriesRule("mine_total", Counts.REQUESTS, (("pod", "all"), ("instance", "one"), ("job", "orders")))
    found = world(given=Given(series=(rule,)))
    scaled(found, "reviews-v1", 3)
    sleep(found, 120)

    series = answer(found, 'mine_total{job="orders"}').samples

    assert len(series) == 3
    assert len({sample.labels["pod"] for sample in series}) == 3


def test_answers_can_be_instant():
    found = world(When(Slowness(factor=0.0)))
    sleep(found, 120)

    assert ask(found, "sum(rate(istio_request_duration_milliseconds_sum[1m]))") == {(): 0.0}


def test_what_nothing_produces_can_be_told():
    found = world(given=Given(series=(SeriesRule("mine_total", Counts.REQUESTS),)))

    assert {"istio_requests_total", "mine_total"} < found.produced()
    assert "yours_total" not in found.produced()


@pytest.mark.parametrize("trouble", [MetricsTrouble.DOWN, MetricsTrouble.SLOW])
def test_a_prometheus_that_does_not_answer_is_no_answer(trouble):
    found = world(down(trouble, lasting=60.0))

    sleep(found, 310)
    during = answer(found)
    sleep(found, 60)

    assert isinstance(during, NoAnswer)
    assert isinstance(answer(found), Answer)


def test_while_prometheus_is_down_nothing_is_scraped():
    found = world(down(MetricsTrouble.DOWN, lasting=120.0))
    sleep(found, 500)

    samples = ask(found, 'count_over_time(istio_requests_total{reporter="source"}[500s])')

    assert sum(samples.values()) == pytest.approx(380 / 15, abs=1)


def test_a_prometheus_that_lost_its_data_has_none():
    found = world(down(MetricsTrouble.EMPTY, lasting=60.0))
    sleep(found, 300)

    assert answer(found).samples == ()
    sleep(found, 90)
    assert max(ask(found, "count_over_time(istio_requests_total[10m])").values()) <= 2


def test_a_prometheus_that_no_longer_scrapes_shows_old_samples_until_they_are_stale():
    found = world(down(MetricsTrouble.STOPPED))
    sleep(found, 420)

    old = answer(found)
    sleep(found, 300)

    assert old.samples
    assert old.newest <= found.setup.start + 300
    assert answer(found).samples == ()


def test_a_partial_answer_says_so_and_lacks_series():
    found = world(down(MetricsTrouble.PARTIAL))
    whole = answer(found, "istio_requests_total")
    sleep(found, 300)

    partial = answer(found, "istio_requests_total")

    assert partial.warnings
    assert 0 < len(partial.samples) < len(whole.samples)


@pytest.mark.parametrize("expression", ["sum(", "sort_by_label(up)", "istio_requests_total[1m]", '"text"'])
def test_what_is_no_question_has_no_answer(expression):
    assert isinstance(answer(world(), expression), NoAnswer)


def test_a_number_is_an_answer():
    assert [sample.value for sample in answer(world(), "1 + 1").samples] == [2.0]


def test_the_world_has_a_history_before_the_run():
    found = world()

    assert ask(found, "sum(rate(istio_requests_total[5m]))") == {(): pytest.approx(40.0)}
    assert found.tally().total.requests == 0


def test_unready_pods_get_no_traffic():
    found = world(When(NotReady(NotReadyBecause.NEVER), subset="stable", after=60.0))
    sleep(found, 120)

    found.tally()

    assert found.tally(since=found.setup.start + 60).routes["reviews"]["v1"].failed == 1200
    assert get(found, "VirtualService", "reviews") is not None
