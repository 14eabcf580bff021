"""Going back by the marker alone, on the sandbox's cluster."""

import pytest

from runner.cli.by_marker import go_back_to
from runner.document.playbook import read_playbook
from runner.errors import (
    ConflictError,
    LockedError,
    RollbackUnverifiedError,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)
from runner.model.split import split_of
from runner.ports import ObjectRef
from runner.routers import istio
from runner.routers.marker import Marker, marker_of, with_marker
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
    cluster, route, clock = released

    assert go_back_to(cluster, clock, route, Marker("abc", "all", 3, SAFE, ""), SAFE) == 0

    found = live(cluster, route)
    assert istio.read(found, route) == SAFE
    assert (marker_of(found).run, marker_of(found).stage) == ("abc", "rollback")
    assert "orders is at v1 100, read back" in capsys.readouterr().out


def test_stdout_stays_with_events_where_they_are_asked_for(released, capsys):
    cluster, route, clock = released

    go_back_to(cluster, clock, route, Marker("abc", "all", 3, SAFE, ""), SAFE, output="jsonl")

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
        go_back_to(cluster, clock, route, Marker("abc", "all", 3, SAFE, ""), SAFE)

    assert istio.read(live(cluster, route), route) == split_of({"v2": 100})


class Troubled:
    """A cluster of which the calls of one verb meet trouble, before or after they were done, for *times* calls."""

    def __init__(self, cluster, verb, trouble, times=1, *, done=False):
        self.inner, self.verb, self.trouble, self.times, self.done = cluster, verb, trouble, times, done
        self.writes = 0

    def __getattr__(self, verb):
        def call(*given):
            if verb == "replace":
                self.writes += 1
            if verb != self.verb or not self.times:
                return getattr(self.inner, verb)(*given)
            self.times -= 1
            if self.done:
                getattr(self.inner, verb)(*given)
            raise self.trouble

        return call


@pytest.mark.parametrize(
    ("verb", "trouble", "done", "writes"),
    [
        ("get", TransientError("busy"), False, 1),
        ("replace", ConflictError("somebody else wrote"), False, 2),
        ("replace", TransientError("busy"), False, 2),
        ("replace", UnknownOutcomeError("no answer"), False, 2),
        ("replace", UnknownOutcomeError("no answer"), True, 1),
    ],
)
def test_trouble_that_passes_does_not_end_the_way_back(released, verb, trouble, done, writes):
    cluster, route, clock = released
    troubled = Troubled(cluster, verb, trouble, done=done)

    assert go_back_to(troubled, clock, route, Marker("abc", "all", 3, SAFE, ""), SAFE) == 0

    assert istio.read(live(cluster, route), route) == SAFE
    assert troubled.writes == writes


@pytest.mark.parametrize("trouble", [TransientError("busy"), RunnerError("forbidden")])
def test_a_way_back_that_does_not_come_about_is_a_failed_rollback(released, trouble):
    cluster, route, clock = released

    with pytest.raises(RollbackUnverifiedError, match=trouble.message):
        go_back_to(
            Troubled(cluster, "replace", trouble, 999),
            clock,
            route,
            Marker("abc", "all", 3, SAFE, ""),
            SAFE,
        )

    assert clock.now() - NOON < 20 * 60


def test_a_release_that_began_meanwhile_is_not_taken_back(released):
    cluster, route, clock = released
    cluster.replace(with_marker(live(cluster, route), Marker("new", "all", 4, SAFE, "")))

    with pytest.raises(LockedError, match="run new has moved orders meanwhile"):
        go_back_to(cluster, clock, route, Marker("abc", "all", 3, SAFE, ""), SAFE)

    assert istio.read(live(cluster, route), route) == split_of({"v2": 100})
