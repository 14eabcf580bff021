"""What a journal leaves behind: how a run stands after each kind of event, and after a gap."""

from dataclasses import replace

import pytest

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    GateAnswered,
    GateOpened,
    Outcome,
    Ref,
    RollbackFinished,
    RollbackStarted,
    RunPaused,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageFailed,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.engine.evolve import ACCEPTED, BACKOFF_CAP, LONGEST_WISH, evolve, replay
from runner.engine.observations import Reached, Trouble
from runner.engine.state import begin
from runner.model.split import split_of
from runner.model.stages import Approve, Scale, Stage
from runner.stages.kinds import compile_playbook
from tests.fakes.release import NS, ROUTE, playbook
from tests.fakes.world import NOON

EVERY = playbook().guards[0].every
STARTED = RunStarted(NOON, {}, {}, {}, {}, "digest")
SOAK = (
    STARTED,
    StageStarted(NOON, "shift 80/20", 1),
    StageSucceeded(NOON, "shift 80/20"),
    StageStarted(NOON, "soak", 1),
)


def after(*events, book=None):
    return replay(begin(compile_playbook("r1", book or playbook())), events)


@pytest.mark.parametrize(("gap", "again"), [(2 * EVERY, False), (2 * EVERY + 0.5, True)])
def test_a_soak_starts_again_when_nobody_looked_for_more_than_two_guard_intervals(gap, again):
    state = after(*SOAK, RunResumed(NOON + gap))

    assert state.stage.name == "soak"
    assert state.stage.started_at == (NOON + gap if again else NOON)


def test_a_stage_that_failed_goes_on_failing_after_a_crash():
    state = after(*SOAK, StageFailed(NOON + 1, "soak", "because"), RunResumed(NOON + 2))

    assert state.failed == "because"
    assert state.stage is not None


def test_a_stage_that_failed_and_was_held_is_tried_again():
    failed = StageFailed(NOON + 1, "soak", "because")
    state = after(*SOAK, failed, RunPaused(NOON + 2, "because", 5), RunResumed(NOON + 3))

    assert (state.failed, state.stage, state.ended) == (None, None, None)


@pytest.mark.parametrize("answer", [None, "refused", "approved"])
def test_only_a_gate_that_was_approved_stays_answered(answer):
    book = playbook(stages=(Stage("gate", Approve("go on?")),))
    opened = (StageStarted(NOON, "gate", 1), GateOpened(NOON, "gate", "go on?", NOON + 3600))
    given = () if answer is None else (GateAnswered(NOON + 5, "gate", answer, "ann"),)

    stage = after(STARTED, *opened, *given, RunResumed(NOON + 10), book=book).stage

    assert (stage.gate is not None, stage.answer is not None) == ((answer == "approved"),) * 2


@pytest.mark.parametrize(("route", "already"), [("reviews", True), (None, False)])
def test_a_stage_that_was_skipped_for_a_route_says_that_it_was_there_already(route, already):
    started = StageStarted(NOON, "shift 80/20", 1)

    state = after(STARTED, started, StageSkipped(NOON, "shift 80/20", "it is there", route))

    assert state.routes["reviews"].already is already
    assert state.index == 1


@pytest.mark.parametrize(
    ("result", "back", "known"),
    [
        ({"before": 1, "replicas": 3}, False, True),
        ({"before": 1, "replicas": 3}, True, False),
        ({"replicas": 3}, False, False),
        ({"before": 1}, False, False),
    ],
)
def test_what_was_scaled_is_remembered_for_the_way_back(result, back, known):
    book = playbook(stages=(Stage("scale", Scale("reviews-v3", replicas=3)),))
    begun = (RollbackStarted(NOON, "because", Outcome.REJECTED, {}),) if back else ()
    done = EffectDone(NOON, Ref("scale", 1, "Deployment", NS, "reviews-v3", 0), result)

    state = after(STARTED, StageStarted(NOON, "scale", 1), *begun, done, book=book)

    assert [(one.deployment, one.before, one.after) for one in state.scaled] == [("reviews-v3", 1, 3)] * known


def pauses(*wishes):
    """The pause before each next question to a cluster that goes on not answering."""
    state, found = after(*SOAK), []
    for wish in wishes:
        state = evolve(state, Trouble(NOON, "refused", wish))
        found.append(state.trouble.next_at - NOON)
    return found


def test_a_cluster_that_does_not_answer_is_asked_less_and_less_often():
    assert pauses(*[None] * 7) == [1, 2, 4, 8, 16, BACKOFF_CAP, BACKOFF_CAP]


def test_a_server_is_left_alone_for_as_long_as_it_asks_within_reason():
    assert pauses(10.0, 0.5, 3600.0) == [10, 2, LONGEST_WISH]


def test_a_cluster_that_answered_is_asked_at_once_when_it_goes_away_again():
    state = evolve(evolve(after(*SOAK), Trouble(NOON, "refused")), Trouble(NOON, "refused"))

    state = evolve(evolve(state, Reached()), Trouble(NOON + 60, "refused"))

    assert (state.trouble.since, state.trouble.next_at) == (NOON + 60, NOON + 61)


WRITE = Ref("shift 80/20", 1, "VirtualService", NS, "reviews", 0)
INTENDED = EffectIntended(NOON, WRITE, {"split": {"v1": 80, "v3": 20}}, {"split": {"v1": 100}})
TWENTY = split_of({"v1": 80, "v3": 20})
SHIFTING = (STARTED, StageStarted(NOON, "shift 80/20", 1), INTENDED)


@pytest.mark.parametrize(("stage", "pending"), [("shift 80/20", INTENDED), (ACCEPTED, None)])
def test_only_a_split_that_a_person_accepted_settles_a_write_whose_outcome_is_unknown(stage, pending):
    state = after(*SHIFTING, SplitChanged(NOON + 1, "reviews", None, TWENTY, stage))

    assert state.stage.pending == pending


@pytest.mark.parametrize(("route", "left"), [("reviews", ()), ("ratings", (INTENDED,))])
def test_what_a_person_accepted_settles_writes_of_earlier_attempts_to_that_object(route, left):
    other = replace(ROUTE, name="ratings", virtual_service="ratings")
    held = (StageFailed(NOON + 1, "shift 80/20", "because"), RunPaused(NOON + 2, "because", 5))
    accepted = SplitChanged(NOON + 4, route, None, TWENTY, ACCEPTED)

    state = after(*SHIFTING, *held, RunResumed(NOON + 3), accepted, book=playbook(routes=(ROUTE, other)))

    assert state.unsettled == left


@pytest.mark.parametrize("verified", [True, False])
def test_a_way_back_that_is_verified_ends_the_trouble_of_reaching_the_cluster(verified):
    back = RollbackStarted(NOON, "because", Outcome.REJECTED, {})
    state = evolve(after(*SOAK, back), Trouble(NOON + 1, "refused"))

    state = evolve(state, RollbackFinished(NOON + 2, verified=verified))

    assert (state.trouble is None) is verified
