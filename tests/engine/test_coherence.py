"""A story that was never played is noticed by whose turn it was."""

import pytest

from runner.engine.coherence import contradiction
from runner.engine.events import (
    Outcome,
    RollbackFinished,
    RollbackStarted,
    RunResumed,
    StageFailed,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.model.stages import Stage, Wait
from runner.stages.kinds import compile_playbook
from tests.fakes.release import playbook
from tests.fakes.world import NOON

ONE, TWO, AFTER = "shift 80/20", "soak", "tell"
PROGRAM = compile_playbook("r1", playbook(rollback=(Stage(AFTER, Wait(1.0)),)))


def started(stage: str) -> StageStarted:
    return StageStarted(NOON, stage, 1)


def done(stage: str) -> StageSucceeded:
    return StageSucceeded(NOON, stage)


def skipped(stage: str) -> StageSkipped:
    return StageSkipped(NOON, stage, "already there")


BACK = (RollbackStarted(NOON, "no", Outcome.REJECTED, {}), RollbackFinished(NOON, verified=True))


@pytest.mark.parametrize(
    "events",
    [
        [],
        [started(ONE), done(ONE), started(TWO)],
        [started(ONE), RunResumed(NOON), started(ONE), done(ONE)],
        [skipped(ONE), skipped(TWO)],
        [started(ONE), StageFailed(NOON, ONE, "no"), *BACK, started(AFTER), done(AFTER)],
    ],
)
def test_what_can_be_played_contradicts_nothing(events):
    assert contradiction(PROGRAM, events) is None


@pytest.mark.parametrize(
    ("number", "events"),
    [
        (1, [started("of another playbook")]),
        (1, [done(TWO)]),
        (2, [done(ONE), done(ONE)]),
        (2, [done(ONE), started(ONE)]),
        (2, [skipped(ONE), started("verify at 20")]),
        (3, [*BACK, started(ONE)]),
        (4, [*BACK, done(AFTER), done(AFTER)]),
    ],
)
def test_a_stage_whose_turn_it_was_not_is_numbered(number, events):
    assert contradiction(PROGRAM, events) == number
