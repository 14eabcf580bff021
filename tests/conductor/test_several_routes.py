"""A release of two routes, one after the other, that goes bad when the first is promoted and the second is not."""

from dataclasses import replace

import pytest

from runner.engine.events import MeasurementTaken, Outcome, RunFinished
from runner.model.playbook import OnFailure
from runner.model.split import canary_split
from runner.model.stages import Shift, Stage, Verify, Wait
from tests.fakes.release import ERRORS, NS, ROUTE, Play, cluster, playbook
from tests.fakes.world import NOON, FakeCluster

RATINGS = replace(ROUTE, name="ratings", virtual_service="ratings")


def two_services() -> FakeCluster:
    """Bookinfo's reviews, and ratings made like it."""
    made = cluster()
    for (kind, namespace, name), found in list(made._objects.items()):
        if name == "reviews":
            other = {**found, "metadata": {"name": "ratings", "namespace": namespace}}
            if kind == "VirtualService":
                route = [{"destination": {"host": "ratings", "subset": "v1"}}]
                other["spec"] = {"hosts": ["ratings"], "http": [{"route": route}]}
            if kind == "DestinationRule":
                other["spec"] = {**found["spec"], "host": "ratings"}
            made._store(other, "setup")
    return made


def release(bad_from: float, **changes) -> Play:
    """Promote reviews, then ratings to 20 % and a soak; the guard of reviews says no from *bad_from* on."""
    more = (Stage("ratings 20", Shift("ratings", canary_split("v1", "v3", 20))), Stage("watch", Wait(300.0)))
    plain = playbook()
    book = replace(plain, routes=(ROUTE, RATINGS), stages=(*plain.stages, *more), **changes)
    return Play(book, at=two_services(), answer=lambda _, at: 0.5 if at > NOON + bad_from else 0.0)


def test_a_breach_on_a_promoted_route_takes_back_the_others_and_asks_a_person():
    play = release(bad_from=250)

    stop = play.start()

    assert stop.code == 5
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}
    assert play.cluster.weights(NS, "ratings") == {"v1": 100, "v3": 0}
    assert "reviews was promoted and stays where it is" in stop.reason


def test_a_breach_on_a_promoted_route_takes_the_others_back_even_where_failures_hold():
    play = release(bad_from=250, on_failure=OnFailure.HOLD)

    stop = play.start()

    assert stop.code == 5
    assert play.cluster.weights(NS, "ratings") == {"v1": 100, "v3": 0}


def test_a_breach_before_any_promotion_takes_back_what_was_moved():
    play = release(bad_from=60)

    stop = play.start()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}
    assert ("replace", "VirtualService/ratings") not in play.cluster.writes


@pytest.mark.parametrize("last", [Wait(30.0), Verify((ERRORS,), every=15.0, count=3)], ids=["fine", "failed"])
def test_stages_of_the_way_back_follow_it_and_do_not_change_its_outcome(last):
    book = playbook(rollback=(Stage("afterwards", last),))
    play = Play(book, answer=lambda _, at: 0.5 if at > NOON + 60 else 0.0)

    stop = play.start()

    *_, verified, begun, _ = (
        e for e in play.journal.events if not isinstance(e, MeasurementTaken | RunFinished)
    )
    assert (verified.verified, begun.stage) == (True, "afterwards")
    assert (stop.code, play.journal.events[-1].outcome) == (3, Outcome.REJECTED)
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}
