"""Requests go where the VirtualServices, DestinationRules and pods of the moment send them."""

import math

import pytest

from runner.model.scenario import DeleteObject, Edit, Given, Load, When
from tests.sandbox.worlds import (
    ISTIO,
    apply_all,
    ask,
    bookinfo,
    get,
    requests,
    sleep,
    split,
    world,
)


def shares(found, seconds=600):
    """The share of every version of what is served in the next *seconds*, and how many requests that were."""
    begins = found.clock.now()
    sleep(found, seconds)
    counts = {name: count.requests for name, count in found.tally(since=begins).routes["reviews"].items()}
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()}, total


@pytest.mark.parametrize("weight", [1, 20, 50, 99])
def test_served_shares_are_the_weights_within_chance(weight):
    found = world()
    split(found, {"v1": 100 - weight, "v3": weight})

    seen, total = shares(found)

    sigma = math.sqrt(weight * (100 - weight)) / 100 / math.sqrt(total)
    assert total == 20 * 600
    assert abs(seen["v3"] - weight / 100) < 4 * sigma


def test_weights_are_proportions_and_need_not_add_to_100():
    found = world()
    split(found, {"v1": 80, "v3": 50})

    seen, total = shares(found)

    assert abs(seen["v3"] - 50 / 130) < 4 * math.sqrt(0.25 / total)


def test_a_single_destination_gets_everything_whatever_its_weight():
    found = world()
    split(found, {"v3": 7})

    assert shares(found)[0] == {"v3": 1.0}


def test_without_a_route_every_ready_pod_gets_the_same():
    of = bookinfo(routed=False)
    found = world(of=of)
    apply_all(found, of)

    seen, total = shares(found)

    assert set(seen) == {"v1", "v2", "v3"}
    assert all(abs(share - 1 / 3) < 4 * math.sqrt(2 / 9 / total) for share in seen.values())


def test_nobody_comes_before_the_gateway_is_open():
    of = bookinfo()
    found = world(of=of)

    for stage in of.stages[:3]:
        for manifest in stage.kind.manifests:
            found.cluster.apply(manifest.object)
    sleep(found, 60)

    assert found.tally().total.requests == 0


def test_an_unknown_subset_answers_503_and_only_the_caller_sees_it():
    found = world()
    split(found, {"v1": 50, "v9": 50})
    sleep(found, 300)

    lost = found.tally().routes["reviews"]["v9"]

    assert lost.failed == lost.requests > 2800
    assert requests(found, response_code="503", response_flags="NC", reporter="source") > 2500
    assert requests(found, response_code="503", reporter="destination") == 0


def test_a_subset_without_a_ready_pod_answers_503_uh():
    found = world()
    found.cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "reviews-v3", "namespace": "bookinfo"},
            "spec": {
                **get(found, "Deployment", "reviews-v3", "apps/v1")["spec"],
                "replicas": 0,
            },
        }
    )
    split(found, {"v1": 50, "v3": 50})
    sleep(found, 300)

    lost = found.tally().routes["reviews"]["v3"]

    assert lost.failed == pytest.approx(lost.requests, abs=30)
    answered = ask(
        found, 'sum(istio_requests_total{response_flags="UH"}) by (reporter, destination_workload)'
    )
    assert set(answered) == {("unknown", "source")}


def test_the_first_http_route_that_matches_takes_the_request():
    given = Given(traffic=(("reviews", Load(20.0, headers=(("end-user", "jason"),))),))
    found = world(given=given)
    body = get(found, "VirtualService", "reviews")
    to = [{"destination": {"host": "reviews", "subset": "v3"}}]
    match = [{"headers": {"end-user": {"exact": "jason"}}}]
    http = [{"match": match, "route": to}, *body["spec"]["http"]]

    found.cluster.replace({**body, "spec": {**body["spec"], "http": http}})

    assert shares(found)[0] == {"v3": 1.0}


def test_requests_that_ask_for_nothing_pass_by_a_route_with_a_match():
    found = world()
    body = get(found, "VirtualService", "reviews")
    other = {
        "match": [{"headers": {"end-user": {"exact": "jason"}}}],
        "route": [{"destination": {"host": "reviews"}}],
    }

    found.cluster.replace({**body, "spec": {**body["spec"], "http": [other, *body["spec"]["http"]]}})

    assert shares(found)[0] == {"v1": 1.0}


def test_requests_suit_the_only_route_with_the_subsets():
    found = world()
    body = get(found, "VirtualService", "reviews")
    matched = {**body["spec"]["http"][0], "match": [{"uri": {"prefix": "/reviews"}}]}

    found.cluster.replace({**body, "spec": {**body["spec"], "http": [matched]}})

    assert shares(found)[0] == {"v1": 1.0}


def test_a_request_that_no_route_matches_is_a_404():
    found = world(given=Given(traffic=(("reviews", Load(path="/nowhere")),)))
    body = get(found, "VirtualService", "reviews")
    matched = {**body["spec"]["http"][0], "match": [{"uri": {"prefix": "/reviews"}}]}
    found.cluster.replace({**body, "spec": {**body["spec"], "http": [matched]}})
    sleep(found, 60)

    assert requests(found, response_code="404", response_flags="NR") > 0
    assert found.tally().total.failed == 0


GONE = When(Edit(DeleteObject("VirtualService", "reviews")), after=60.0)


def test_without_its_virtual_service_a_route_is_even_over_the_pods():
    found = world(GONE)
    sleep(found, 60)

    seen, total = shares(found)

    assert abs(seen["v1"] - 0.5) < 4 * math.sqrt(0.25 / total)


def test_another_virtual_service_for_the_same_host_takes_over_when_the_named_one_is_gone():
    found = world(GONE)
    found.cluster.apply(
        {
            "apiVersion": ISTIO,
            "kind": "VirtualService",
            "metadata": {"name": "other", "namespace": "bookinfo"},
            "spec": {
                "hosts": ["reviews.bookinfo.svc.cluster.local"],
                "http": [{"route": [{"destination": {"host": "reviews", "subset": "v3"}}]}],
            },
        }
    )
    assert shares(found, 60)[0] == {"v1": 1.0}

    assert shares(found, 60)[0] == {"v3": 1.0}


def test_an_abort_in_a_route_fails_its_part_before_any_pod():
    found = world()
    body = get(found, "VirtualService", "reviews")
    abort = {"abort": {"percentage": {"value": 25}, "httpStatus": 555}}
    http = [{**body["spec"]["http"][0], "fault": abort}]
    found.cluster.replace({**body, "spec": {**body["spec"], "http": http}})
    begins = found.clock.now()
    sleep(found, 600)

    count = found.tally(since=begins).total

    assert count.failed / count.requests == pytest.approx(0.25, abs=0.02)
