"""Permissions are asked for one by one, and what is not granted comes back."""

import pytest

from runner.adapters.access import ClusterAccess
from runner.errors import RunnerError, TransientError
from runner.ports import Permission
from tests.adapters.api import speaking_to, status
from tests.adapters.loopback import Reply, Seen, hang_up, html, says

READ = Permission("get", "networking.istio.io", "virtualservices", "bookinfo", "reviews")
WRITE = Permission("update", "networking.istio.io", "virtualservices", "bookinfo", "reviews")
SCALE = Permission("patch", "apps", "deployments/scale", "bookinfo")
NODES = Permission("list", "", "nodes")


def readers_only(seen: Seen) -> Reply:
    asked = seen.json["spec"]["resourceAttributes"]
    return says(201, seen.json | {"status": {"allowed": asked["verb"] == "get"}})


def test_what_is_not_granted_comes_back_once_and_in_order():
    with speaking_to(readers_only) as spoken:
        missing = ClusterAccess(spoken.api).missing([WRITE, READ, SCALE, WRITE])

    assert missing == (WRITE, SCALE)
    assert len(spoken.calls) == 3


def test_each_permission_is_spelt_as_the_api_server_spells_it():
    with speaking_to(readers_only) as spoken:
        ClusterAccess(spoken.api).missing([WRITE, SCALE, NODES])

    assert [seen.json["spec"]["resourceAttributes"] for seen in spoken.calls] == [
        {
            "verb": "update",
            "group": "networking.istio.io",
            "resource": "virtualservices",
            "namespace": "bookinfo",
            "name": "reviews",
        },
        {
            "verb": "patch",
            "group": "apps",
            "resource": "deployments",
            "subresource": "scale",
            "namespace": "bookinfo",
        },
        {"verb": "list", "resource": "nodes"},
    ]


def test_a_permission_says_what_it_is():
    assert str(WRITE) == "update virtualservices.networking.istio.io reviews in namespace bookinfo"
    assert str(NODES) == "list nodes"


@pytest.mark.parametrize(
    "answer", [{"status": {"allowed": "yes"}}, {"status": {"allowed": False, "denied": True}}]
)
def test_only_a_plain_yes_is_a_yes(answer):
    with speaking_to([says(201, answer)]) as spoken:
        assert ClusterAccess(spoken.api).missing([READ]) == (READ,)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (hang_up(), TransientError),
        (says(201, []), TransientError),
        (status(401, "Unauthorized", "Unauthorized"), RunnerError),
        (html(403), RunnerError),
    ],
)
def test_no_answer_is_neither_yes_nor_no(reply, error):
    with speaking_to([reply]) as spoken, pytest.raises(error):
        ClusterAccess(spoken.api).missing([READ])
