"""What breaks a run off says whether a rollback was owed."""

import pytest

from runner.cli.playing import _to_the_end
from runner.engine.events import RollbackStarted, RunStarted
from runner.errors import RollbackUnverifiedError, RunnerError
from tests.fakes.release import Play
from tests.fakes.world import NOON


def _full_after(play, stops):
    append = play.journal.append

    def refusing(events):
        if stops(play):
            raise RunnerError("the disk is full")
        return append(events)

    play.journal.append = refusing


def _begun(play):
    conductor = play.conductor()
    conductor.record(RunStarted(play.clock.now(), {}, {}, {}, {}, "digest"))
    return conductor


def test_a_disk_that_fills_up_on_the_way_back_is_a_rollback_that_failed():
    play = Play(answer=lambda _, at: 0.5 if at > NOON + 30 else 0.0)
    _full_after(play, lambda play: any(isinstance(event, RollbackStarted) for event in play.journal.events))

    with pytest.raises(RollbackUnverifiedError, match="the disk is full") as broken:
        _to_the_end(_begun(play))
    assert broken.value.exit_code == 4


def test_a_disk_that_fills_up_on_the_way_forward_is_an_error():
    play = Play()
    _full_after(play, lambda play: "split.changed" in play.names)

    with pytest.raises(RunnerError) as broken:
        _to_the_end(_begun(play))
    assert broken.value.exit_code == 1
