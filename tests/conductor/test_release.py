"""What a release promises, played against fakes."""

from dataclasses import replace

import pytest

from runner.engine.events import (
    MeasurementTaken,
    RollbackStarted,
    RunFinished,
    RunPaused,
    SplitChanged,
)
from runner.engine.observations import Interrupted
from runner.errors import TransientError
from runner.model.playbook import OnFailure
from runner.model.split import canary_split
from runner.model.stages import Shift, Stage
from tests.fakes.release import NS, Play, cluster, playbook, pod
from tests.fakes.world import NOON

ALL_ON_V1 = {"v1": 100, "v3": 0}


def bad_after(seconds):
    return lambda _, at: 0.5 if at > NOON + seconds else 0.0


def test_healthy_canary_ends_with_all_traffic():
    play = Play()

    stop = play.start()

    assert stop.code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}
    assert play.names[-2:] == ["stage.succeeded", "run.finished"]


def test_every_split_is_recorded_with_where_it_came_from():
    play = Play()

    play.start()

    changed = [
        (e.from_.as_dict(), e.to.as_dict()) for e in play.journal.events if isinstance(e, SplitChanged)
    ]
    assert changed == [({"v1": 100}, {"v1": 80, "v3": 20}), ({"v1": 80, "v3": 20}, {"v3": 100})]


def test_failed_verify_returns_all_traffic_to_stable():
    book = replace(playbook(), guards=())
    play = Play(book, answer=bad_after(0))

    stop = play.start()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1
    assert play.last.outcome == "rejected"


def test_guard_ends_a_soak_at_once_after_its_limit():
    play = Play(answer=bad_after(30))

    play.start()

    started = next(e for e in play.journal.events if isinstance(e, RollbackStarted))
    # Measured at 40 and 50: the second failure in a row is over the limit of 1.
    assert started.at == NOON + 50
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


def test_hold_leaves_traffic_where_it_is():
    play = Play(playbook(on_failure=OnFailure.HOLD), answer=bad_after(30))

    stop = play.start()

    assert stop.code == 5
    assert isinstance(play.last, RunPaused)
    assert play.cluster.weights(NS, "reviews") == {"v1": 80, "v3": 20}


def test_playing_twice_changes_nothing():
    first = Play()
    first.start()
    second = Play(at=first.cluster)
    writes = len(first.cluster.writes)

    stop = second.start()

    assert stop.code == 0
    assert len(first.cluster.writes) == writes
    assert second.names.count("stage.skipped") == 3


@pytest.mark.parametrize("weights", [(("v1", 80), ("v3", 20)), (("v1", 1), ("v3", 99))])
def test_a_split_half_way_is_refused_before_any_effect(weights):
    play = Play(at=cluster(*weights))

    stop = play.start()

    assert stop.code == 7
    assert "--from-here" in stop.reason
    assert play.cluster.writes == []


def test_from_here_accepts_the_live_split():
    play = Play(at=cluster(("v1", 80), ("v3", 20)), answer=bad_after(30), accept_live=True)

    assert play.start().code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


def test_a_foreign_edit_is_never_overwritten_on_the_way_forward():
    play = Play()

    def edit(verb, what):
        if play.clock.time == NOON + 60 and play.cluster.weights(NS, "reviews").get("v3") == 20:
            play.cluster.edit("VirtualService", NS, "reviews", lambda found: _weigh(found, 60, 40))

    play.orders.poll = lambda: edit("", "") or ()

    stop = play.start()

    assert stop.code == 7
    assert "kubectl-edit at 2026-01-01T12:03:00Z" in stop.reason
    assert play.cluster.weights(NS, "reviews") == {"v1": 60, "v3": 40}


def _weigh(found, stable, canary):
    routes = found["spec"]["http"][0]["route"]
    routes[0]["weight"], routes[1]["weight"] = stable, canary


def test_everything_else_in_the_object_is_left_as_it_was():
    play = Play()
    before = play.cluster.get(_reviews())

    play.start()

    after = play.cluster.get(_reviews())
    assert after["spec"]["http"][0].pop("route") and before["spec"]["http"][0].pop("route")
    assert after["spec"] == before["spec"]
    assert list(after["metadata"]["annotations"]) == ["runner/run"]


def _reviews():
    from runner.ports import ObjectRef

    return ObjectRef("networking.istio.io/v1", "VirtualService", NS, "reviews")


def test_canary_that_is_not_ready_gets_no_traffic():
    at = cluster()
    at.edit("Pod", NS, "reviews-v3", lambda found: found.update(status=pod("v3", ready=False)["status"]))
    play = Play(at=at)

    stop = play.start()

    assert stop.code == 3
    assert "no ready endpoint" in stop.reason
    assert at.writes == []


def test_an_unreachable_cluster_is_waited_for_while_guards_go_on():
    play = Play()
    down = (NOON + 120, NOON + 300)

    def fail(verb, what):
        if down[0] <= play.clock.time < down[1]:
            raise TransientError("connection refused")

    play.cluster.before.append(fail)

    assert play.start().code == 0
    taken = [e.at for e in play.journal.events if isinstance(e, MeasurementTaken) and e.guard]
    assert any(down[0] < at < down[1] for at in taken)


def test_a_cluster_away_past_its_patience_leaves_traffic_and_can_be_resumed():
    play = Play()

    def fail(verb, what):
        if play.clock.time >= NOON + 120:
            raise TransientError("connection refused")

    play.cluster.before.append(fail)

    assert play.start().code == 1
    play.cluster.before.clear()
    assert play.again().code == 0


def test_a_rollback_that_cannot_reach_the_cluster_says_that_traffic_is_not_known_to_be_safe():
    play = Play(answer=bad_after(30))

    def fail(verb, what):
        if play.clock.time >= NOON + 50:
            raise TransientError("connection refused")

    play.cluster.before.append(fail)

    stop = play.start()

    assert stop.code == 4
    assert isinstance(play.last, RunFinished)


def test_a_soak_that_nobody_watched_starts_again():
    play = Play(script=((60, Interrupted("SIGINT", 130)),))
    play.start()
    play.clock.time += 3600

    play.again()

    resumed = next(e.at for e in play.journal.events if type(e).__name__ == "RunResumed")
    soaked = next(
        e.at for e in play.journal.events if type(e).__name__ == "StageSucceeded" and e.stage == "soak"
    )
    assert soaked - resumed >= 120


def test_a_breach_after_promotion_asks_a_person():
    gate = Stage("soak after", playbook().stages[1].kind)
    play = Play(playbook(stages=(*playbook().stages, gate)), answer=bad_after(200))

    stop = play.start()

    assert stop.code == 5
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def test_three_subsets_are_shifted_by_weights():
    book = playbook(stages=(Stage("three", Shift("reviews", canary_split("v1", "v3", 20))),))
    from runner.model.split import split_of

    book = replace(book, stages=(Stage("three", Shift("reviews", split_of({"v1": 33, "v2": 33, "v3": 34}))),))
    play = Play(book)

    assert play.start().code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 33, "v2": 33, "v3": 34}
