"""A laptop is shut in a wait, and its process lives on: what nobody watched does not count."""

import pytest

from runner.engine.events import RunResumed, StageStarted, StageSucceeded
from runner.model.stages import Stage, Wait
from tests.fakes.release import Play, playbook
from tests.fakes.world import NOON, FakeClock

SHIFT = playbook().stages[0]
EVERY = playbook().guards[0].every
SOAK = 1200.0


class Laptop(FakeClock):
    """It is shut at a moment, once, for a while."""

    def __init__(self, shut: float, asleep: float) -> None:
        super().__init__()
        self.shut, self.asleep = NOON + shut, asleep

    def sleep_until(self, until: float) -> None:
        super().sleep_until(until)
        if self.asleep and self.time >= self.shut:
            self.time, self.asleep = self.time + self.asleep, 0.0


def played(asleep, guards=None):
    book = playbook(stages=(SHIFT, Stage("soak", Wait(SOAK))))
    play = Play(book if guards is None else playbook(stages=book.stages, guards=guards))
    play.clock = Laptop(600.0, asleep)
    return play, play.start()


def soaked(play):
    events = play.journal.events
    started = next(e.at for e in events if isinstance(e, StageStarted) and e.stage == "soak")
    return next(e.at for e in events if isinstance(e, StageSucceeded) and e.stage == "soak") - started


def woken(play):
    return [event.at for event in play.journal.events if isinstance(event, RunResumed)]


@pytest.mark.parametrize("asleep", [2 * EVERY + 61.0, 7200.0])
def test_a_soak_that_was_slept_through_starts_again_when_somebody_looks(asleep):
    play, stop = played(asleep)

    assert stop.code == 0
    (at,) = woken(play)
    assert soaked(play) == pytest.approx(at - NOON + SOAK, abs=2 * EVERY)


def test_a_late_moment_is_no_sleep():
    play, stop = played(30.0)

    assert stop.code == 0
    assert woken(play) == []
    assert soaked(play) == pytest.approx(SOAK, abs=1)


def test_a_wait_that_no_guard_watches_does_not_begin_again():
    play, stop = played(300.0, guards=())

    assert stop.code == 0
    assert soaked(play) == pytest.approx(SOAK + 300.0, abs=1)
