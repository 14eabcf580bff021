"""Who is named for a change that a run did not make."""

from runner.engine.observations import Interrupted
from runner.stages.ownership import ROUTES, last_editor
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
