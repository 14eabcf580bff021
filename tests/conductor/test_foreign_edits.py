"""Who is named for a change that a run did not make."""

from dataclasses import replace

import pytest

from runner.engine.events import EffectDone, EffectIntended, RollbackStarted, SplitChanged
from runner.engine.observations import Interrupted
from runner.errors import DisagreementError
from runner.model.split import split_of
from runner.stages.ownership import ROUTES, last_editor
from runner.stages.sealing import refuse_moved
from tests.fakes.release import NS, Play

EDIT = {
    "manager": "kubectl-edit",
    "operation": "Update",
    "time": "2026-01-01T12:03:00Z",
    "fieldsV1": {"f:spec": {"f:http": {}}},
}
SEAL = {
    "manager": "runner",
    "operation": "Update",
    "time": "2026-01-01T12:09:00Z",
    "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:runner/run": {}}}},
}


def test_after_a_seal_the_person_who_changed_the_routes_is_named():
    """Whoever takes a run over writes its epoch first, and is then the newest editor of the object."""
    play = Play(script=((60, Interrupted("SIGINT", 130)),))
    play.start()
    play.cluster.edit("VirtualService", NS, "reviews", _by_somebody, managed=(EDIT, SEAL))

    stop = play.again()

    assert stop.code == 7
    assert "was changed by kubectl-edit at 2026-01-01T12:03:00Z" in stop.reason


def _by_somebody(found):
    for item, weight in zip(found["spec"]["http"][0]["route"], (60, 40), strict=True):
        item["weight"] = weight


def test_the_newest_of_those_who_own_the_field_is_named():
    fields = [EDIT, {**EDIT, "manager": "argocd", "time": "2026-01-01T12:05:00Z"}, SEAL]

    assert last_editor({"metadata": {"managedFields": fields}}, ROUTES) == "argocd at 2026-01-01T12:05:00Z"


def test_where_nobody_owns_the_field_the_newest_of_all_is_named():
    assert last_editor({"metadata": {"managedFields": [SEAL]}}, ROUTES) == "runner at 2026-01-01T12:09:00Z"


def test_whoever_resumes_is_told_of_a_move_before_anything_waits_at_a_split_that_is_gone():
    play = Play(script=((60, Interrupted("SIGINT", 130)),))
    play.start()
    play.cluster.edit("VirtualService", NS, "reviews", _by_somebody, managed=(EDIT, SEAL))

    with pytest.raises(DisagreementError) as told:
        refuse_moved(play.cluster, play.book, "r1", play.conductor().state.held)

    assert "was changed by kubectl-edit at 2026-01-01T12:03:00Z" in told.value.message
    assert "recorded  v1 80 / v3 20\n  live      v1 60 / v3 40" in told.value.message
    assert "runner resume r1 --accept-drift " in str(told.value.hint)


def test_a_route_that_was_deleted_meanwhile_is_told_at_once():
    play = Play(script=((60, Interrupted("SIGINT", 130)),))
    play.start()
    del play.cluster._objects["VirtualService", NS, "reviews"]

    with pytest.raises(DisagreementError, match="somebody has deleted it after it was seen at v1 80 / v3 20"):
        refuse_moved(play.cluster, play.book, "r1", play.conductor().state.held)


def test_a_write_whose_answer_was_lost_is_nobody_elses():
    play = Play()
    play.start()
    play.journal.events = [
        event for event in play.journal.events if not isinstance(event, SplitChanged | EffectDone)
    ]
    intended = next(at for at, event in enumerate(play.journal.events) if isinstance(event, EffectIntended))
    del play.journal.events[intended + 1 :]
    state = play.conductor().state
    known = replace(state, routes={"reviews": replace(state.routes["reviews"], split=split_of({"v1": 100}))})

    assert known.held == {"reviews": (split_of({"v1": 100}), split_of({"v1": 80, "v3": 20}))}


def test_on_the_way_back_it_does_not_matter_where_a_route_is():
    play = Play(answer=lambda _, at: 0.5)
    play.start()
    before = next(at for at, event in enumerate(play.journal.events) if isinstance(event, RollbackStarted))
    del play.journal.events[before + 1 :]

    assert play.conductor().state.held == {}
