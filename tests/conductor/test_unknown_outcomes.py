"""Writes whose answer was lost, records that lost their end, servers that ask to be left alone."""

from dataclasses import replace

import pytest

from runner.engine.events import RunResumed, RunStarted, SplitChanged, StageFailed, StageStarted
from runner.engine.evolve import ACCEPTED
from runner.errors import ConflictError, DisagreementError, LockedError, TransientError, UnknownOutcomeError
from runner.model.playbook import OnFailure
from runner.model.split import canary_split
from runner.routers.marker import marker_of
from runner.stages.sealing import seal
from runner.stages.shift import service_ref
from tests.fakes.release import NS, ROUTE, Play, playbook
from tests.fakes.world import NOON, FakeCluster


class Killed(BaseException):
    """The process is gone."""


def _dies_after_its_first_write(play: Play) -> None:
    send = play.cluster.replace

    def dying(changed):
        send(changed)
        play.cluster.replace = send
        raise Killed

    play.cluster.replace = dying


def _weigh(play: Play, stable: int, canary: int) -> None:
    def change(found):
        routes = found["spec"]["http"][0]["route"]
        routes[0]["weight"], routes[1]["weight"] = stable, canary

    play.cluster.edit("VirtualService", NS, "reviews", change)


def test_a_failed_stage_gets_no_second_chance_by_a_crash():
    play = Play(answer=lambda _, at: 0.5 if at > NOON + 30 else 0.0)
    play.start()
    failed = next(n for n, event in enumerate(play.journal.events) if isinstance(event, StageFailed))
    del play.journal.events[failed + 1 :]
    _weigh(play, 80, 20)

    stop = play.again()

    assert stop.code == 3
    assert not any(isinstance(event, StageStarted) for event in play.journal.events[failed:])


def test_an_unknown_write_of_an_earlier_attempt_is_taken_back_too():
    play = Play(playbook(on_failure=OnFailure.HOLD, deadline=3600.0))
    _dies_after_its_first_write(play)
    with pytest.raises(Killed):
        play.start()
    play.clock.time += 4000  # past the deadline: the stage fails, and is held

    assert play.again().code == 5
    play.book = replace(play.book, on_failure=OnFailure.ROLLBACK)
    stop = play.again()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}


def test_somebody_who_puts_back_what_was_there_is_not_overwritten():
    play = Play()
    _dies_after_its_first_write(play)
    with pytest.raises(Killed):
        play.start()
    _weigh(play, 100, 0)

    stop = play.again()

    assert stop.code == 7
    assert "kubectl-edit" in stop.reason
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}


def test_an_accepted_change_is_where_the_next_write_starts_from():
    play = Play()
    _dies_after_its_first_write(play)
    with pytest.raises(Killed):
        play.start()
    _weigh(play, 100, 0)
    conductor = play.conductor()
    live = canary_split("v1", "v3", 0)
    conductor.record(
        RunResumed(play.clock.now()), SplitChanged(play.clock.now(), "reviews", None, live, ACCEPTED)
    )

    assert conductor.play().code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def test_a_server_that_asks_to_be_left_alone_is_left_alone():
    play, asked = Play(), []

    def busy(verb, what):
        if play.clock.time >= NOON + 30:
            return
        asked.append(play.clock.time)
        raise TransientError("429 Too Many Requests", retry_after=20.0)

    play.cluster.before.append(busy)

    assert play.start().code == 0
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 20


def _moved() -> FakeCluster:
    play = Play()
    play.start()
    return play.cluster


def _past():
    play = Play()
    play.start()
    return tuple(play.journal.events)


def test_a_record_that_lost_its_end_is_refused_before_anything_is_decided():
    past = _past()
    older = past[:5]

    with pytest.raises(DisagreementError, match="older than the object"):
        seal(_moved(), playbook(), "r1", 2, older)


def test_a_seal_is_tried_again_where_others_write():
    cluster = _moved()
    send, conflicts = cluster.replace, [1, 2]

    def contended(changed):
        if conflicts:
            conflicts.pop()
            raise ConflictError("the object has been modified")
        return send(changed)

    cluster.replace = contended

    seal(cluster, playbook(), "r1", 2, _past())

    assert marker_of(cluster.get(service_ref(ROUTE))).epoch == 2


def test_a_seal_below_the_epoch_on_the_object_is_refused():
    cluster = _moved()
    seal(cluster, playbook(), "r1", 5, _past())

    with pytest.raises(LockedError, match="epoch 5, ours is 3"):
        seal(cluster, playbook(), "r1", 3, _past())


def test_who_has_been_taken_over_leaves_the_way_back_to_others():
    play = Play(answer=lambda _, at: 0.5 if at > NOON + 30 else 0.0)
    conductor = play.conductor()
    conductor.record(RunStarted(play.clock.now(), {}, {}, {}, {}, "digest"))

    def taken():
        if play.names[-1] == "rollback.started":
            raise LockedError("r2 took over the lease")

    conductor.world.lease.renew = taken

    assert conductor.play().code == 6
    assert play.names[-1] == "run.interrupted"


def test_a_lost_answer_is_looked_for_and_not_sent_again():
    play = Play()
    send, sent = play.cluster.replace, []

    def lost(changed):
        sent.append(changed)
        send(changed)
        raise UnknownOutcomeError("the connection was reset")

    play.cluster.replace = lost

    assert play.start().code == 0
    assert [item["spec"]["http"][0]["route"][-1]["weight"] for item in sent] == [20, 100, 100]
