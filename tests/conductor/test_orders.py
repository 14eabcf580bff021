"""What a release does when people and machines interrupt, answer, abort or take it back."""

import pytest

from runner.engine.events import (
    GateAnswered,
)
from runner.engine.observations import Interrupted, Order, OrderKind
from runner.errors import TransientError
from runner.model.playbook import OnInterrupt
from runner.model.stages import Approve, Scale, Stage
from tests.fakes.release import NS, Play, cluster, deployment, playbook, reconcile

ALL_ON_V1 = {"v1": 100, "v3": 0}


def test_interrupt_leaves_traffic_and_resume_goes_on():
    play = Play(script=((60, Interrupted("SIGINT", 130)),))

    assert play.start().code == 130
    assert play.cluster.weights(NS, "reviews") == {"v1": 80, "v3": 20}

    assert play.again().code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def test_interrupt_goes_back_where_the_playbook_says_so():
    play = Play(playbook(on_interrupt=OnInterrupt.ROLLBACK), script=((60, Interrupted("SIGTERM", 143)),))

    assert play.start().code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


@pytest.mark.parametrize("after", [1, 60, 121, 145])
def test_abort_is_legal_at_every_stage(after):
    play = Play(script=((after, Order(OrderKind.ABORT, "ann")),))

    stop = play.start()

    assert stop.code == 3
    assert "ann" in stop.reason
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


def test_rollback_after_the_end_goes_back_from_a_promotion():
    play = Play()
    play.start()

    stop = play.again(Order(OrderKind.ROLLBACK, "ann"))

    assert stop.code == 0
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1
    assert play.last.outcome == "rolled-back"


def test_rollback_scales_stable_up_before_it_gets_traffic():
    at = cluster()
    at.create(deployment("reviews-v1", 2))
    retire = Stage("retire", Scale("reviews-v1", replicas=0))
    play = Play(playbook(stages=(*playbook().stages, retire)), at=at)
    play.cluster.before.append(lambda verb, what: reconcile(play.cluster))
    assert play.start().code == 0

    stop = play.again(Order(OrderKind.ROLLBACK, "ann"))

    assert stop.code == 0
    assert [what for _, what in at.writes[-2:]] == ["Deployment/reviews-v1", "VirtualService/reviews"]


MORE = Stage("more room", Scale("reviews-v3", replicas=3))


def _with_more_room(**given):
    at = cluster()
    at.create(deployment("reviews-v3", 1))
    at.before.append(lambda verb, what: reconcile(at))
    return Play(playbook(stages=(MORE, *playbook().stages)), at=at, **given), at


def test_a_deployment_that_was_deleted_is_not_in_the_way_of_what_is_safe():
    play, at = _with_more_room(script=((30.0, Order(OrderKind.ABORT, "ann")),))
    at.before.append(lambda verb, what: _deleted(at) if at.weights(NS, "reviews").get("v3") else None)

    stop = play.start()

    assert stop.code == 3
    assert at.weights(NS, "reviews") == ALL_ON_V1


def _deleted(at):
    at._objects.pop(("Deployment", NS, "reviews-v3"), None)


def test_replicas_that_the_cluster_changes_on_the_way_are_not_taken_for_ours():
    play, at = _with_more_room()
    replace = at.replace
    at.replace = lambda changed: replace({**changed, "spec": {**changed["spec"], "replicas": 2}})

    stop = play.start()

    assert stop.code == 7
    assert "it has 2 replicas, not 3" in stop.reason
    assert at.weights(NS, "reviews") == {"v1": 100}


def test_gate_waits_for_a_person_and_records_who():
    gate = Stage("ask", Approve("all well?", timeout=600.0))
    book = playbook(stages=(playbook().stages[0], gate))
    play = Play(book, script=((300, Order(OrderKind.APPROVE, "ann")),))

    assert play.start().code == 0
    answered = next(e for e in play.journal.events if isinstance(e, GateAnswered))
    assert (answered.answer, answered.by) == ("approved", "ann")


def test_gate_that_nobody_answers_goes_back():
    gate = Stage("ask", Approve("all well?", timeout=600.0))
    play = Play(playbook(stages=(playbook().stages[0], gate)))

    assert play.start().code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


def test_until_stops_after_the_stage_and_a_later_resume_ends_the_run():
    play = Play(until="soak")

    assert play.start().code == 0
    assert play.names[-1] == "run.paused"

    play.session = {}
    assert play.again().code == 0
    assert play.last.outcome == "succeeded"


def test_abort_takes_back_a_route_whose_write_may_have_happened():
    play = Play(script=((0.5, Order(OrderKind.ABORT, "ann")),))
    replace_object = play.cluster.replace

    def lost(changed):
        replace_object(changed)
        play.cluster.replace = replace_object
        play.clock.time += 1
        raise TransientError("the answer was lost")

    play.cluster.replace = lost

    stop = play.start()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1
    assert play.last.outcome == "aborted"


def test_abort_takes_a_promoted_route_back_as_its_exit_code_says():
    play = Play()
    poll = play.orders.poll
    play.orders.poll = lambda: (Order(OrderKind.ABORT, "ann"),) if _promoted(play) else poll()

    stop = play.start()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == ALL_ON_V1


def test_an_interrupt_after_a_promotion_asks_a_person():
    play = Play(playbook(on_interrupt=OnInterrupt.ROLLBACK))
    poll = play.orders.poll
    play.orders.poll = lambda: (Interrupted("SIGTERM", 143),) if _promoted(play) else poll()

    stop = play.start()

    assert stop.code == 5
    assert "promoted" in stop.reason
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def _promoted(play):
    return play.names[-1] == "stage.succeeded" and play.last.stage == "promote"
