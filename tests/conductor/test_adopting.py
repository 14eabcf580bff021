"""A run killed after any of its writes, its state lost: what its objects say is enough to go on, or back."""

import json
from dataclasses import replace

import pytest

from runner.cli.adopt import _of_one_run
from runner.engine.events import RunResumed, RunStarted, StageSkipped
from runner.engine.observations import Order, OrderKind
from runner.errors import DisagreementError
from runner.model.split import canary_split
from runner.model.stages import Scale, Shift, Stage, Wait
from runner.stages.adopting import marked, record_of, scaled, scalers
from runner.stages.meeting import refuse_half_way
from runner.stages.sealing import seal
from tests.fakes.release import NS, ROUTE, Play, cluster, deployment, playbook, reconcile
from tests.fakes.world import NOON

BEFORE = {"reviews-v3": 1, "reviews-v1": 2}
AFTER = {"reviews-v3": 3, "reviews-v1": 0}
WRITES = 5  # more room, a fifth, everything, promoted, retired
BOOK = playbook(
    stages=(
        Stage("more room", Scale("reviews-v3", replicas=3)),
        *playbook().stages,
        Stage("retire", Scale("reviews-v1", replicas=0)),
    )
)


class Killed(BaseException):
    """The process is gone."""


def _with_deployments():
    at = cluster()
    for name, replicas in BEFORE.items():
        at.create(deployment(name, replicas))
    at.writes.clear()
    return at


def _lost_after(write: int, book=BOOK, at=None, **kwargs) -> Play:
    """A play that is killed after its *write*-th write, and whose journal is gone."""
    at = at or _with_deployments()
    play = Play(book, at=at, **kwargs)
    at.before.append(lambda verb, what: reconcile(at))
    replace = at.replace

    def dying(changed):
        written = replace(changed)
        if len(at.writes) == write:
            at.replace = replace
            raise Killed
        return written

    at.replace = dying
    with pytest.raises(Killed):
        play.start()
    play.journal.events.clear()
    play.journal.link = type(play.journal.link)("r1")
    return play


def _adopted(play: Play) -> None:
    at = play.clock.now()
    found = marked(play.cluster, play.book)
    assert {item.marker.run for item in found} == {"r1"}
    events = record_of(play.book, found, scaled(play.cluster, play.book, "r1"), at)
    play.journal.append([RunStarted(at, {}, {}, {}, {}, "digest"), *events])


def _resumed(play: Play, *orders: Order):
    past = tuple(play.journal.events)
    conductor = play.conductor()
    conductor.record(RunResumed(play.clock.now()))
    seal(play.cluster, play.book, "r1", play.lease.epoch, past)
    for order in orders:
        conductor.notice(order)
    return conductor.play()


def _replicas(play: Play):
    return {name: play.cluster._objects["Deployment", NS, name]["spec"]["replicas"] for name in BEFORE}


def test_the_table_is_of_every_write():
    at = _with_deployments()
    at.before.append(lambda verb, what: reconcile(at))

    assert Play(BOOK, at=at).start().code == 0
    assert len(at.writes) == WRITES


@pytest.mark.parametrize("write", range(2, 4))
def test_nobody_plays_over_a_run_whose_state_is_lost(write):
    play = _lost_after(write)

    with pytest.raises(DisagreementError, match="run r1 is not finished") as refused:
        refuse_half_way(play.cluster, play.book, "r2")
    assert "runner adopt FILE" in refused.value.hint


@pytest.mark.parametrize("write", range(2, WRITES + 1))
def test_an_adopted_run_ends_as_an_undisturbed_one(write):
    play = _lost_after(write)
    _adopted(play)

    stop = _resumed(play)

    assert stop.code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}
    assert _replicas(play) == AFTER


@pytest.mark.parametrize("write", range(2, WRITES + 1))
def test_an_adopted_run_goes_back_with_all_that_it_had_scaled(write):
    play = _lost_after(write)
    _adopted(play)

    stop = _resumed(play, Order(OrderKind.ROLLBACK, "ann"))

    assert stop.code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}
    assert _replicas(play) == BEFORE
    assert "runner/scaled" not in str(play.cluster._objects)


@pytest.mark.parametrize(("orders", "replicas"), [((), AFTER), ((Order(OrderKind.ABORT, "ann"),), BEFORE)])
def test_before_any_traffic_has_moved_what_was_scaled_names_the_run(orders, replicas):
    play = _lost_after(1)
    assert marked(play.cluster, play.book) == []
    refuse_half_way(play.cluster, play.book, "r2")

    assert scalers(play.cluster, play.book) == {"r1"}
    known, at = scaled(play.cluster, play.book, "r1"), play.clock.now()
    events = record_of(play.book, [], known, at)
    play.journal.append([RunStarted(at, {}, {}, {}, {}, "digest"), *events])

    assert _resumed(play, *orders).code == (3 if orders else 0)
    assert _replicas(play) == replicas


def test_a_run_that_was_back_is_over():
    play = _lost_after(3, answer=lambda _, at: 0.5 if at > NOON + 30 else 0.0)

    with pytest.raises(DisagreementError, match="the last write was made by 'rollback'"):
        _adopted(play)


def test_what_was_scaled_by_another_run_is_not_taken_for_ours():
    play = _lost_after(2)

    def older(found):
        found["metadata"]["annotations"] = {"runner/scaled": '{"run":"r0","stage":"more room","before":9}'}

    play.cluster.edit("Deployment", NS, "reviews-v3", older)

    (room, retire) = scaled(play.cluster, play.book, "r1")

    assert room.scaling is None
    assert retire.scaling is None
    _adopted(play)
    assert [event.stage for event in play.journal.events if isinstance(event, StageSkipped)] == ["more room"]


def test_a_second_scaling_remembers_what_was_there_before_the_first():
    at = _with_deployments()
    at.before.append(lambda verb, what: reconcile(at))
    stages = (Stage("some", Scale("reviews-v3", replicas=2)), Stage("more", Scale("reviews-v3", replicas=4)))
    book = playbook(stages=(*stages, *playbook().stages))
    play = Play(book, at=at)
    assert play.start().code == 0

    _, more = scaled(at, book, "r1")

    assert more.scaling is not None
    assert more.scaling.before == 1


def _of_two_routes():
    """The same release of two services, and a cluster that has both."""
    routes = (ROUTE, replace(ROUTE, name="ratings", virtual_service="ratings"))
    shifts = (
        Stage("a fifth of reviews", Shift("reviews", canary_split("v1", "v3", 20))),
        Stage("a fifth of ratings", Shift("ratings", canary_split("v1", "v3", 20))),
        Stage("soak", Wait(600.0)),
    )
    at = cluster()
    for found in list(at._objects.values()):
        at.create(json.loads(json.dumps(found).replace("reviews", "ratings")))
    at.writes.clear()
    return playbook(routes=routes, stages=shifts), at


def _both(play: Play):
    return [play.cluster.weights(NS, name) for name in ("reviews", "ratings")]


def test_a_way_back_that_was_lost_between_two_routes_goes_on():
    book, at = _of_two_routes()
    play = _lost_after(3, book, at, answer=lambda _, at: 0.5 if at > NOON + 60 else 0.0)
    assert sorted(weights["v3"] for weights in _both(play)) == [0, 20]
    _adopted(play)

    stop = _resumed(play)

    assert stop.code == 3
    assert _both(play) == [{"v1": 100, "v3": 0}] * 2


def test_a_route_that_an_earlier_run_has_left_in_order_is_not_in_the_way():
    book, at = _of_two_routes()
    play = _lost_after(1, book, at)
    ratings = marked(play.cluster, book)[0]
    done = replace(ratings, marker=replace(ratings.marker, run="r0", safe=ratings.split))

    assert _of_one_run([done, ratings]) == [ratings]
    assert _of_one_run([done]) == [done]
