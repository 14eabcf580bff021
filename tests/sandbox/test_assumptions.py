"""What a playbook names and nothing creates is there, well, and said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.model.playbook import Route
from runner.model.scenario import Given, Gone, Load, Scenario, When
from runner.model.split import canary_split, split_of
from runner.model.stages import Apply, Manifest, Scale, Shift, Stage
from runner.sandbox import assume, open_world
from tests.sandbox.worlds import (
    ISTIO,
    REVIEWS,
    SHIFT,
    START,
    apply_all,
    bookinfo,
    deployment,
    get,
    playbook,
    sleep,
    split,
    world,
)


def destinations(found, name="reviews"):
    """The weighted subsets of a VirtualService."""
    route = get(found, "VirtualService", name)["spec"]["http"][0]["route"]
    return {item["destination"]["subset"]: item.get("weight") for item in route}


def test_everything_that_a_playbook_only_moves_is_assumed_and_said():
    said = assume(playbook())

    assert said == (
        "namespace bookinfo exists, with istio-injection=enabled",
        "Service reviews selects app=reviews",
        "DestinationRule reviews defines v1, v3",
        "Deployment reviews-v1 has 1 ready pod of v1",
        "Deployment reviews-v3 has 1 ready pod of v3",
        "VirtualService reviews sends all traffic to v1",
        "20 requests a second reach reviews",
    )


def test_what_is_assumed_is_there_and_well():
    found = world()

    assert destinations(found) == {"v1": None}
    assert deployment(found, "reviews-v3")["status"]["readyReplicas"] == 1
    assert [entry["name"] for entry in get(found, "DestinationRule", "reviews")["spec"]["subsets"]] == [
        "v1",
        "v3",
    ]


def test_of_a_playbook_that_brings_everything_only_the_namespace_and_the_traffic_are_assumed():
    assert assume(bookinfo()) == (
        "namespace bookinfo exists, with istio-injection=enabled",
        "20 requests a second reach reviews once Gateway bookinfo-gateway is there",
    )


def test_without_routes_traffic_goes_where_the_checks_look():
    assert assume(bookinfo(routed=False)) == (
        "namespace bookinfo exists, with istio-injection=enabled",
        "20 requests a second reach reviews once Gateway bookinfo-gateway is there",
    )


def test_a_given_split_brings_the_world_of_a_release_that_is_under_way():
    of = bookinfo()
    found = world(of=of, given=Given(split=(("reviews", split_of({"v1": 80, "v3": 20})),)))

    assert destinations(found) == {"v1": 80, "v3": 20}
    assert deployment(found, "reviews-v3")["spec"]["template"]["spec"]["containers"][0]["name"] == "reviews"
    assert "VirtualService reviews sends 80 % to v1, 20 % to v3" in found.assumptions
    apply_all(found, of)


def test_a_canary_that_the_playbook_brings_is_not_there_before():
    rule = {
        "apiVersion": ISTIO,
        "kind": "DestinationRule",
        "metadata": {"name": "reviews-rule", "namespace": "bookinfo"},
        "spec": {
            "host": "reviews",
            "subsets": [
                {"name": "v1", "labels": {"version": "v1"}},
                {"name": "v3", "labels": {"version": "3.0"}},
            ],
        },
    }
    template = {
        "metadata": {"labels": {"app": "reviews", "version": "3.0"}},
        "spec": {"containers": [{"name": "app", "image": "reviews:3.0"}]},
    }
    pods = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "reviews-new", "namespace": "bookinfo"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": template["metadata"]["labels"]},
            "template": template,
        },
    }
    new = Stage("new", Apply((Manifest("d.yaml", pods), Manifest("r.yaml", rule))))
    of = playbook(new, SHIFT)
    found = world(of=of)

    assert deployment(found, "reviews-new") is None
    assert [entry["name"] for entry in get(found, "DestinationRule", "reviews-rule")["spec"]["subsets"]] == [
        "v1"
    ]
    assert deployment(found, "reviews-v1")["status"]["readyReplicas"] == 3
    apply_all(found, of)
    split(found, {"v3": 100})
    begins = found.clock.now()
    sleep(found, 30)
    assert set(found.tally(since=begins).routes["reviews"]) == {"v3"}
    assert found.tally(since=begins).total.failed == 0


def test_a_stable_that_nobody_has_named_is_the_one_with_the_traffic():
    route = replace(REVIEWS, stable="stable")
    shift = Stage("shift", Shift("reviews", canary_split("stable", "v3", 20)))
    found = world(
        of=playbook(shift, routes=(route,)), given=Given(split=(("reviews", split_of({"v0": 100})),))
    )

    assert destinations(found) == {"v0": None}
    assert deployment(found, "reviews-v0")["status"]["readyReplicas"] == 1
    assert found.setup.streams[0].stable == "v0"
    assert not any("stable" in sentence for sentence in found.assumptions)


def test_deployments_that_are_only_scaled_are_assumed():
    retire = Stage("retire", Scale("reviews-v1", replicas=0))
    other = Stage("other", Scale("worker", like="reviews-v3"))

    said = assume(playbook(SHIFT, retire, other))

    assert "Deployment worker has 1 ready pod" in said
    assert sum("reviews-v1" in sentence for sentence in said) == 1


def test_kinds_that_the_playbook_applies_are_known():
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "m", "namespace": "bookinfo"},
    }
    of = playbook(Stage("watch", Apply((Manifest("m.yaml", monitor),))), SHIFT)
    found = world(of=of)

    assert "the cluster knows ServiceMonitor of monitoring.coreos.com/v1" in found.assumptions
    assert found.cluster.apply(monitor)


def test_given_objects_are_there_and_nothing_else_is_assumed_for_them():
    body = get(world(), "VirtualService", "reviews")
    given_body = {key: body[key] for key in ("apiVersion", "kind", "spec")} | {
        "metadata": {"name": "reviews"}
    }
    given_body["spec"]["http"][0]["timeout"] = "3s"
    found = world(given=Given(files=(Manifest("vs.yaml", given_body),), manager="kubectl-client-side-apply"))

    live = get(found, "VirtualService", "reviews")

    assert live["spec"]["http"][0]["timeout"] == "3s"
    assert live["metadata"]["managedFields"][0]["manager"] == "kubectl-client-side-apply"
    assert not any("VirtualService" in sentence for sentence in found.assumptions)


def test_a_route_to_a_public_host_reaches_the_service_behind_it():
    body = {
        "apiVersion": ISTIO,
        "kind": "VirtualService",
        "metadata": {"name": "shop", "namespace": "bookinfo"},
        "spec": {
            "hosts": ["shop.example.com"],
            "gateways": ["istio-system/public"],
            "http": [
                {"match": [{"uri": {"prefix": "/static"}}], "route": [{"destination": {"host": "assets"}}]},
                {
                    "name": "primary",
                    "match": [{"uri": {"prefix": "/orders"}}],
                    "route": [{"destination": {"host": "orders", "subset": "v1"}}],
                },
            ],
        },
    }
    route = Route("orders", "shop", "bookinfo", canary="v2", stable="v1", http="primary")
    found = world(
        of=playbook(routes=(route,)),
        given=Given(files=(Manifest("vs.yaml", body),), traffic=(("orders", Load(50.0)),)),
    )
    sleep(found, 60)

    assert "50 requests a second reach orders" in found.assumptions
    assert found.tally().routes == {"orders": {"v1": found.tally().total}}
    assert found.tally().total.requests == 3000


def test_services_of_their_own_get_the_traffic_that_is_given():
    found = world(given=Given(traffic=(("ratings", Load(5.0)),)))

    assert "5 requests a second reach ratings" in found.assumptions


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["http", "route", "destination", "host", "subset", "weight", "template", "selector", "spec"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from(["VirtualService", "DestinationRule", "Deployment", "Service"]), ODD)
def test_manifests_of_any_shape_never_break_the_assumptions(kind, spec):
    api_version = {"Deployment": "apps/v1", "Service": "v1"}.get(kind, ISTIO)
    body = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "reviews", "namespace": "bookinfo"},
        "spec": spec,
    }

    assert assume(playbook(Stage("odd", Apply((Manifest("odd.yaml", body),))), SHIFT))


@pytest.mark.parametrize("name", ["healthy", "other"])
def test_the_scenario_is_optional(name):
    assert assume(playbook()) == assume(playbook(), Scenario(name))
    assert open_world(playbook(), seed=1, start=START).assumptions == assume(playbook())


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario("s", when=(When(Gone(), stage="shift 90/10"),)), 'speaks of stage "shift 90/10"'),
        (Scenario("s", when=(When(Gone(), route="ratings"),)), 'speaks of route "ratings"'),
        (Scenario("s", given=Given(split=(("x", split_of({"v1": 100})),))), 'speaks of route "x"'),
    ],
)
def test_a_scenario_for_another_playbook_is_refused(scenario, words):
    with pytest.raises(RunnerError, match=words) as refused:
        open_world(playbook(), scenario, seed=1, start=START)

    assert refused.value.hint in ("it has shift 80/20", "it has reviews")


def test_a_scaled_deployment_is_that_of_its_own_route():
    ratings = Route("ratings", "ratings", "bookinfo", canary="v3", stable="v1")
    more = Stage("more", Scale("reviews-v3", replicas=2))

    said = assume(playbook(more, SHIFT, routes=(REVIEWS, ratings)))

    assert "Deployment reviews-v3 has 1 ready pod of v3" in said
    assert "Deployment ratings-v3 has 1 ready pod of v3" in said
