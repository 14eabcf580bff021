"""Without evidence nothing passes: what a release does when its metrics say nothing, or too little."""

from dataclasses import replace

import pytest

from runner.engine.events import MeasurementTaken
from runner.model.stages import OnInconclusive, Stage, Verify
from tests.fakes.release import ERRORS, NS, Play, playbook
from tests.fakes.world import NOON

ALL_ON_V1 = {"v1": 100, "v3": 0}


def test_no_data_never_passes_and_goes_back_after_patience():
    play = Play(answer=lambda *_: None)

    stop = play.start()

    assert stop.code == 3
    assert "no evidence" in stop.reason
    assert not any(e.verdict == "passed" for e in play.journal.events if isinstance(e, MeasurementTaken))


def test_no_data_pauses_where_the_stage_says_so():
    verify = Verify((ERRORS,), every=15.0, count=3, on_inconclusive=OnInconclusive.PAUSE)
    book = replace(playbook(), guards=(), stages=(playbook().stages[0], Stage("verify", verify)))
    play = Play(book, answer=lambda *_: None)

    stop = play.start()

    assert stop.code == 5
    assert play.cluster.weights(NS, "reviews") == {"v1": 80, "v3": 20}


def test_a_guard_without_data_pauses_where_it_says_so():
    guard = replace(playbook().guards[0], patience=60.0, on_inconclusive=OnInconclusive.PAUSE)
    play = Play(playbook(guards=(guard,)), answer=lambda *_: None)

    stop = play.start()

    assert (stop.code, "guard alarm" in stop.reason) == (5, True)
    assert play.clock.now() - NOON == pytest.approx(60.0, abs=10.0)
    assert play.cluster.weights(NS, "reviews") == {"v1": 80, "v3": 20}


def test_a_late_first_measurement_has_only_samples_from_after_the_shift():
    slow = replace(ERRORS, name="slow", measure=replace(ERRORS.measure, lookback=300.0))
    book = replace(
        playbook(), guards=(), stages=(playbook().stages[0], Stage("verify", Verify((slow,), 15.0, 1)))
    )
    play = Play(book)

    play.start()

    taken = next(e.at for e in play.journal.events if isinstance(e, MeasurementTaken))
    assert taken == NOON + 300
