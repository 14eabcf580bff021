"""The API server fails as real ones do, and what it did before it failed has happened."""

import pytest

from runner.errors import ConflictError, RunnerError, TransientError, UnknownOutcomeError
from runner.model.scenario import ApiFault, ApiTrouble, When
from runner.ports import ObjectRef
from tests.sandbox.worlds import ISTIO, begin, get, sleep, split, world

REF = ObjectRef(ISTIO, "VirtualService", "bookinfo", "reviews")


def failing(trouble, *, lasting=None, stage="shift", **narrowed):
    """A world whose API server fails once the stage begins, and what was read before."""
    found = world(When(ApiFault(trouble, **narrowed), stage=stage, lasting=lasting))
    read = get(found, "VirtualService", "reviews")
    begin(found, stage)
    return found, {**read, "spec": {**read["spec"], "hosts": ["changed"]}}


def hosts(found):
    """What is really there."""
    return found.witness(REF)["spec"]["hosts"]


@pytest.mark.parametrize(
    ("trouble", "reading", "writing"),
    [
        (ApiTrouble.UNAVAILABLE, TransientError, TransientError),
        (ApiTrouble.BUSY, TransientError, TransientError),
        (ApiTrouble.ERROR, TransientError, UnknownOutcomeError),
        (ApiTrouble.TIMEOUT, TransientError, UnknownOutcomeError),
        (ApiTrouble.FORBIDDEN, RunnerError, RunnerError),
        (ApiTrouble.UNAUTHORIZED, RunnerError, RunnerError),
    ],
)
def test_each_trouble_is_told_as_what_it_is_and_nothing_is_written(trouble, reading, writing):
    found, wanted = failing(trouble)

    with pytest.raises(RunnerError) as read:
        found.cluster.get(REF)
    with pytest.raises(RunnerError) as listed:
        found.cluster.list(ISTIO, "VirtualService", "bookinfo", {})
    with pytest.raises(RunnerError) as written:
        found.cluster.replace(wanted)

    assert type(read.value) is type(listed.value) is reading
    assert type(written.value) is writing
    assert hosts(found) == ["reviews"]


def test_a_lost_answer_comes_after_the_write_has_happened():
    found, wanted = failing(ApiTrouble.LOST)

    with pytest.raises(UnknownOutcomeError):
        found.cluster.replace(wanted)

    assert found.cluster.get(REF)["spec"]["hosts"] == ["changed"]


def test_a_conflict_is_one_of_writes_only():
    found, wanted = failing(ApiTrouble.CONFLICT)

    assert found.cluster.get(REF)
    with pytest.raises(ConflictError):
        found.cluster.replace(wanted)
    assert hosts(found) == ["reviews"]


def test_trouble_ends():
    found, wanted = failing(ApiTrouble.UNAVAILABLE, lasting=30.0)
    sleep(found, 30)

    found.cluster.replace(wanted)

    assert hosts(found) == ["changed"]


def test_only_the_write_that_is_meant_fails():
    found, wanted = failing(ApiTrouble.UNAVAILABLE, call=2)

    first = found.cluster.replace(wanted)
    with pytest.raises(TransientError):
        found.cluster.replace(first)
    assert found.cluster.replace(first)


def test_only_the_calls_that_are_meant_fail():
    found, wanted = failing(ApiTrouble.UNAVAILABLE, verbs=("replace",), kinds=("VirtualService",))

    assert get(found, "Deployment", "reviews-v1", "apps/v1")
    assert found.cluster.get(REF)
    with pytest.raises(TransientError):
        found.cluster.replace(wanted)


def test_a_dry_run_never_has_an_unknown_outcome():
    found, wanted = failing(ApiTrouble.TIMEOUT)
    del wanted["metadata"]["managedFields"]

    with pytest.raises(TransientError) as refused:
        found.cluster.apply(wanted, dry_run=True)

    assert not isinstance(refused.value, UnknownOutcomeError)


def test_a_stage_that_begins_again_does_not_begin_the_trouble_again():
    found, wanted = failing(ApiTrouble.UNAVAILABLE, lasting=30.0)
    sleep(found, 60)
    begin(found, "shift")

    assert split(found, {"v1": 50, "v3": 50})
    assert found.cluster.get(REF)
    assert wanted
