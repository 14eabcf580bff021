"""Going back by the marker alone, on the sandbox's cluster."""

import pytest

from runner.cli.by_marker import go_back_to
from runner.document.playbook import read_playbook
from runner.errors import RollbackUnverifiedError
from runner.model.split import split_of
from runner.ports import ObjectRef
from runner.routers import istio
from runner.routers.marker import Marker, marker_of
from runner.sandbox import open_world
from runner.stages.shift import live

BOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: orders}
target: {namespace: shop}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
stages: [{name: some, shift: {route: orders, canary: 20}}]
"""
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
SAFE = split_of({"v1": 100})


@pytest.fixture
def released(tmp_path):
    """A cluster, and a route of which the canary has all the traffic."""
    file = tmp_path / "book.yaml"
    file.write_text(BOOK, encoding="utf-8")
    playbook = read_playbook(str(file)).playbook
    (route,) = playbook.routes
    world = open_world(playbook, None, seed=1, start=NOON)
    cluster = world.cluster
    cluster.replace(istio.write(live(cluster, route), route, split_of({"v2": 100})))
    return cluster, route, world.clock


def test_the_object_goes_back_and_says_who_did_it(released, capsys):
    cluster, route, _ = released

    assert go_back_to(cluster, route, Marker("abc", "all", 3, SAFE, ""), SAFE) == 0

    found = live(cluster, route)
    assert istio.read(found, route) == SAFE
    assert (marker_of(found).run, marker_of(found).stage) == ("abc", "rollback")
    assert "orders is at v1 100, read back" in capsys.readouterr().out


def test_stdout_stays_with_events_where_they_are_asked_for(released, capsys):
    cluster, route, _ = released

    go_back_to(cluster, route, Marker("abc", "all", 3, SAFE, ""), SAFE, output="jsonl")

    said = capsys.readouterr()
    assert said.out == ""
    assert "orders is at v1 100, read back" in said.err


def test_traffic_never_goes_where_nobody_answers(released):
    cluster, route, clock = released
    old = cluster.get(ObjectRef("apps/v1", "Deployment", "shop", "orders-v1"))
    cluster.replace({**old, "spec": {**old["spec"], "replicas": 0}})
    clock.sleep_until(NOON + 60)

    with pytest.raises(
        RollbackUnverifiedError, match=r"orders was not touched.*subset v1 has no ready endpoint"
    ):
        go_back_to(cluster, route, Marker("abc", "all", 3, SAFE, ""), SAFE)

    assert istio.read(live(cluster, route), route) == split_of({"v2": 100})
