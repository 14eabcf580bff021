"""Each promise is seen to be broken when it is: a watcher that never complains proves nothing."""

from dataclasses import replace

import pytest

from runner.engine.events import (
    EffectIntended,
    MeasurementTaken,
    Outcome,
    Ref,
    RollbackStarted,
    RunFinished,
    SplitChanged,
    StageStarted,
    StageSucceeded,
)
from runner.model.checks import Verdict
from runner.model.scenario import Edit, Scenario, SetWeights, When
from runner.model.split import split_of
from runner.ports import ObjectRef
from runner.rehearsal.playing import play
from runner.rehearsal.promises import Promises, declared
from runner.rehearsal.worlds import HEALTHY
from runner.routers import istio

from .places import ROUTE, errors, open_place, playbook

SAFE, TWENTY, FIFTY = split_of({"v1": 100}), split_of({"v1": 80, "v3": 20}), split_of({"v1": 50, "v3": 50})
SERVICE = ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")
REF = Ref("shift", 1, "VirtualService", "bookinfo", "reviews", 1)


class Watched:
    """Promises over a real world, to which a test does what a run never may."""

    def __init__(self):
        self.place = open_place(playbook(), HEALTHY)
        self.promises = Promises(playbook(), self.place)

    def set(self, split):
        """Write weights past the eyes of the promises."""
        found = self.place.cluster.get(SERVICE)
        return self.place.cluster.replace(istio.write(found, ROUTE, split))

    def write(self, split):
        """Write weights as a run does."""
        found = self.place.cluster.get(SERVICE)
        return self.promises.watched.replace(istio.write(found, ROUTE, split))

    def hear(self, *events):
        for event in events:
            self.promises.heard(event, "")

    @property
    def broken(self):
        return self.promises.broken


@pytest.fixture
def watched():
    return Watched()


def test_healthy_run_keeps_every_promise():
    assert play(playbook(), HEALTHY, open_place).broken == ()


def test_declared_are_the_splits_of_the_playbook_and_the_safe_one():
    assert declared(playbook(), ROUTE) == {SAFE, TWENTY, FIFTY, split_of({"v3": 100})}


def test_p1_a_weight_that_nobody_declared_is_seen(watched):
    odd = split_of({"v1": 70, "v3": 30})
    watched.set(odd)
    watched.hear(SplitChanged(1.0, "reviews", SAFE, odd))

    assert watched.broken == ["P1: reviews is at v1 70 / v3 30, which the playbook does not declare"]


def test_p1_declared_weights_are_none(watched):
    watched.set(TWENTY)
    watched.hear(SplitChanged(1.0, "reviews", SAFE, TWENTY))

    assert watched.broken == []


def test_p2_a_rise_during_a_verify_is_seen(watched):
    watched.hear(
        SplitChanged(1.0, "reviews", SAFE, TWENTY),
        StageStarted(2.0, "verify at 20", 1),
        SplitChanged(3.0, "reviews", TWENTY, FIFTY),
    )

    assert watched.broken == ["P2: the canary of reviews rose to 50 during 'verify at 20'"]


def passed(newest):
    answers = {"bad": {"newest": newest}, "of": {"newest": newest + 5}}
    return MeasurementTaken(
        20.0, "errors", 0.0, Verdict.PASSED, "", "verify at 20", None, {"answers": answers}
    )


@pytest.mark.parametrize(("newest", "count"), [(9.0, 1), (11.0, 0)])
def test_p2_a_verify_on_data_from_before_the_rise_is_seen(watched, newest, count):
    watched.hear(
        SplitChanged(10.0, "reviews", SAFE, TWENTY),
        StageStarted(15.0, "verify at 20", 1),
        passed(newest),
        StageSucceeded(21.0, "verify at 20"),
    )

    assert len([broken for broken in watched.broken if broken.startswith("P2")]) == count


def test_p3_an_end_that_the_world_does_not_show_is_seen(watched):
    watched.hear(RunFinished(9.0, Outcome.SUCCEEDED, {"reviews": split_of({"v3": 100})}))

    assert watched.broken == ["P3: finished with reviews at v3 100, but it is at v1 100"]


def test_p3_exit_3_without_the_safe_split_is_seen(watched):
    watched.set(TWENTY)
    watched.hear(
        SplitChanged(1.0, "reviews", SAFE, TWENTY),
        RollbackStarted(2.0, "because", Outcome.REJECTED, {"reviews": SAFE}),
    )
    watched.promises.ended(3)

    assert watched.broken == ["P3: exit 3, but reviews is at v1 80 / v3 20, its safe split is v1 100"]


def test_p4_overwriting_somebody_elses_change_silently_is_seen(watched):
    watched.write(TWENTY)
    watched.hear(SplitChanged(1.0, "reviews", SAFE, TWENTY))
    watched.set(FIFTY)
    watched.write(SAFE)

    assert watched.broken == ["P4: reviews was changed to v1 50 / v3 50 by somebody else, and is overwritten"]


def test_p4_overwriting_it_after_saying_so_is_not_silent(watched):
    watched.write(TWENTY)
    watched.hear(SplitChanged(1.0, "reviews", SAFE, TWENTY))
    watched.set(FIFTY)
    watched.hear(EffectIntended(2.0, REF, {"split": SAFE.as_dict()}, {"split": FIFTY.as_dict()}))
    watched.write(SAFE)

    assert watched.broken == []


def test_a_persons_edit_stops_the_run_and_breaks_no_promise():
    edit = When(Edit(SetWeights((("v1", 60), ("v3", 40)))), stage="soak", after=30, route="reviews")

    played = play(
        replace(playbook(errors()), guards=()), Scenario("edit", "", HEALTHY.given, (edit,)), open_place
    )

    assert (played.code, played.ending) == (7, "stopped")
    assert played.broken == ()
    assert played.splits == {"reviews": split_of({"v1": 60, "v3": 40})}
