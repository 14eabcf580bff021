"""A cluster that is away for a while: what waits, what goes on, and when patience ends."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from runner.adapters.lease import ClusterLease, Target
from runner.engine.events import MeasurementTaken, RollbackStarted, RunFinished
from runner.engine.observations import Interrupted, Unrecorded
from runner.errors import LockedError, TransientError, UnknownOutcomeError
from runner.model.stages import Wait
from runner.reports.progress import said_of
from tests.fakes.release import NS, Play, playbook
from tests.fakes.world import NOON, FakeClock, FakeCluster, FreeLease, MemoryJournal

PATIENCE = 15 * 60


@dataclass
class Outage:
    """A cluster that does not answer between two times."""

    play: Play
    since: float
    until: float

    def strikes(self) -> None:
        if NOON + self.since <= self.play.clock.now() < NOON + self.until:
            raise TransientError("connection refused")


class JournalInTheCluster(MemoryJournal):
    """Takes nothing while the cluster is away."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self.outage, self.asked = outage, 0

    def append(self, events):
        self.asked += 1
        self.outage.strikes()
        return super().append(events)


@dataclass
class LeaseInTheCluster(FreeLease):
    """Cannot be renewed while the cluster is away."""

    outage: Outage
    asked: list[float] = field(default_factory=list)

    def renew(self) -> None:
        if self.asked and self.outage.play.clock.now() - self.asked[-1] < 10:
            return
        self.outage.strikes()
        self.asked.append(self.outage.play.clock.now())


@dataclass
class Witness:
    """Hears and notices."""

    heard_: list[tuple[Any, str]] = field(default_factory=list)
    noticed_: list[Any] = field(default_factory=list)

    @property
    def unrecorded(self):
        return sum(not line for _, line in self.heard_)

    def heard(self, event, line):
        self.heard_.append((event, line))

    def noticed(self, observation):
        self.noticed_.append(observation)

    def tick(self, now):
        pass


def away(since: float, until: float, **kwargs: Any) -> tuple[Play, Witness]:
    """A play whose whole API server is away for a while."""
    play = Play(**kwargs)
    outage, witness = Outage(play, since, until), Witness()
    play.journal, play.lease = JournalInTheCluster(outage), LeaseInTheCluster(outage)
    play.cluster.before.append(lambda *_: outage.strikes())
    play.listeners = (witness,)
    return play, witness


def bad_after(seconds):
    return lambda _, at: 0.5 if at > NOON + seconds else 0.0


def test_an_outage_that_is_over_does_not_end_a_long_wait():
    stages = tuple(replace(s, kind=Wait(3600.0)) if s.name == "soak" else s for s in playbook().stages)
    play, _ = away(20, 50, book=playbook(stages=stages))
    play.journal = MemoryJournal()

    assert play.start().code == 0


@pytest.mark.parametrize("until", [40, 400, PATIENCE - 60])
def test_an_outage_within_patience_changes_no_end(until):
    play, _ = away(30, until)

    stop = play.start()

    assert stop.code == 0
    assert isinstance(play.last, RunFinished)
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def test_a_lease_that_cannot_be_given_up_changes_no_end():
    lost = FakeCluster()
    lease = ClusterLease(lost, FakeClock(), "r1@here")
    lease.acquire([Target(NS, "reviews")])
    lost.before.append(_nobody_answers)

    lease.release()


def _nobody_answers(verb, what):
    raise UnknownOutcomeError("the connection was reset")


def test_guards_go_on_while_nothing_can_be_recorded():
    play, _ = away(30, 400)

    play.start()

    taken = [event.at for event in play.journal.events if isinstance(event, MeasurementTaken) and event.guard]
    assert max(b - a for a, b in pairwise(taken)) <= 11


def test_a_breach_seen_in_an_outage_acts_at_once_when_the_cluster_answers():
    play, witness = away(30, 400, answer=bad_after(60))

    stop = play.start()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}
    back = next(event for event in play.journal.events if isinstance(event, RollbackStarted))
    assert back.at < NOON + 100
    assert play.last.at < NOON + 400 + 31  # one pause of the back-off
    said = [item.event for item in witness.noticed_ if isinstance(item, Unrecorded)]
    assert any(isinstance(event, RollbackStarted) for event in said)
    words = [words for item in witness.noticed_ if (words := said_of(item, "out of reach: x")) is not None]
    (said,) = [text for word, text in words if word == "going back"]
    assert "guard alarm: 0.5" in said
    assert said.endswith("as soon as the cluster answers")


def test_past_patience_the_run_stops_where_it_is():
    play, witness = away(30, 10_000)

    stop = play.start()

    assert stop.code == 1
    assert "cannot be reached" in stop.reason
    assert witness.unrecorded
    assert PATIENCE <= play.clock.now() - NOON - 30 < PATIENCE + 60
    assert play.cluster.weights(NS, "reviews") == {"v1": 80, "v3": 20}


def test_past_patience_a_rollback_that_is_owed_has_failed():
    play, witness = away(30, 10_000, answer=bad_after(60))

    stop = play.start()

    assert stop.code == 4
    assert witness.unrecorded
    assert play.clock.now() - NOON < 60 + PATIENCE + 120


def test_a_signal_is_answered_at_once():
    play, witness = away(30, 10_000, script=((60, Interrupted("SIGTERM", 143)),))

    stop = play.start()

    assert stop.code == 143
    assert witness.unrecorded
    assert play.clock.now() - NOON < 75


def test_a_good_end_that_cannot_be_recorded_is_none():
    play, witness = away(10_000, 20_000)
    play.journal.outage = Outage(play, 0, 0)
    ended = play.journal.append

    def away_at_the_end(events):
        if any(isinstance(event, RunFinished) for event in events):
            raise UnknownOutcomeError("504")
        return ended(events)

    play.journal.append = away_at_the_end

    stop = play.start()

    assert stop.code == 1
    assert witness.unrecorded
    assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}


def test_what_was_not_recorded_is_seen_again_on_resume():
    play, _ = away(30, 5_000, answer=bad_after(60))
    assert play.start().code == 4

    play.clock.time = NOON + 5_000
    stop = play.again()

    assert stop.code == 3
    assert play.cluster.weights(NS, "reviews") == {"v1": 100, "v3": 0}


def test_a_silent_journal_is_asked_less_and_less_often():
    play, _ = away(30, 10_000)

    play.start()

    assert play.journal.asked < 60


def test_another_process_that_took_the_run_over_ends_this_one():
    play, _ = away(10_000, 20_000)
    append = play.journal.append

    def taken(events):
        if any(isinstance(event, MeasurementTaken) for event in events):
            raise LockedError("another process writes")
        return append(events)

    play.journal.append = taken

    with pytest.raises(LockedError):
        play.start()
