"""A run always ends: its deadline cuts a wait short, and not a moment too early."""

import pytest

from runner.model.playbook import OnFailure
from runner.model.stages import Stage, Wait
from tests.fakes.release import NS, Play, playbook
from tests.fakes.world import NOON

SHIFT = playbook().stages[0]


@pytest.mark.parametrize(
    ("on_failure", "code", "weights"),
    [(OnFailure.ROLLBACK, 3, {"v1": 100, "v3": 0}), (OnFailure.HOLD, 5, {"v1": 80, "v3": 20})],
)
def test_a_wait_beyond_the_deadline_ends_at_the_deadline(on_failure, code, weights):
    stages = (SHIFT, Stage("night", Wait(10_000.0)))
    play = Play(playbook(guards=(), stages=stages, deadline=3600.0, on_failure=on_failure))

    stop = play.start()

    assert stop.code == code
    assert "deadline of 1h" in stop.reason
    assert play.clock.now() - NOON == pytest.approx(3600, abs=1)
    assert play.cluster.weights(NS, "reviews") == weights


def test_a_run_that_ends_with_its_deadline_is_in_time():
    stages = (SHIFT, Stage("night", Wait(3600.0)))
    play = Play(playbook(guards=(), stages=stages, deadline=3600.0))

    assert play.start().code == 0
