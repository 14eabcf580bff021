"""What goes out to an API server: where each kind is served, and what is never sent."""

import subprocess
import sys
import time

import pytest

from runner.errors import RunnerError, TransientError
from runner.ports import ObjectRef
from tests.adapters.api import REVIEWS, discovering, not_found, reviews, speaking_to, status
from tests.adapters.loopback import Reply, Seen, says, serving


def test_a_missing_crd_is_told_apart_from_a_missing_object():
    with serving(not_found) as server, speaking_to([]) as spoken:
        spoken.now_at(server.url)
        with pytest.raises(RunnerError) as caught:
            spoken.cluster.get(REVIEWS)

    assert "CustomResourceDefinition is missing" in caught.value.message
    assert "istio.io" in (caught.value.hint or "")


def test_a_kind_that_is_served_in_another_version_names_that_version():
    old = {
        "kind": "APIResourceList",
        "resources": [{"name": "virtualservices", "kind": "VirtualService", "namespaced": True}],
    }

    def answer(seen: Seen) -> Reply:
        match seen.path:
            case "/apis/networking.istio.io":
                return says(
                    200, {"kind": "APIGroup", "versions": [{"groupVersion": "networking.istio.io/v1beta1"}]}
                )
            case "/apis/networking.istio.io/v1beta1":
                return says(200, old)
            case _:
                return not_found(seen)

    with serving(answer) as server, speaking_to([]) as spoken:
        spoken.now_at(server.url)
        with pytest.raises(RunnerError) as caught:
            spoken.cluster.get(REVIEWS)

    assert (
        caught.value.hint == "it serves VirtualService as networking.istio.io/v1beta1: write that apiVersion"
    )


def test_each_group_and_version_is_discovered_once():
    with speaking_to(lambda _: says(200, reviews())) as spoken:
        for _ in range(3):
            spoken.cluster.get(REVIEWS)

    assert [seen.path for seen in spoken.server.seen].count("/apis/networking.istio.io/v1") == 1
    assert spoken.server.connections == 1


def test_a_crd_that_a_stage_has_just_applied_is_found():
    known: list[bool] = []

    def answer(seen: Seen) -> Reply:
        if seen.path == "/apis/example.org/v1" and known:
            return says(200, {"resources": [{"name": "widgets", "kind": "Widget", "namespaced": True}]})
        return not_found(seen)

    widget = ObjectRef("example.org/v1", "Widget", "x", "w")
    with speaking_to(answer) as spoken:
        with pytest.raises(RunnerError, match="Widget"):
            spoken.cluster.get(widget)
        known.append(True)

        assert spoken.cluster.get(widget) is None


def test_a_replace_that_nothing_guards_is_never_sent():
    with speaking_to([]) as spoken, pytest.raises(RunnerError, match="resourceVersion"):
        spoken.cluster.replace(reviews())

    assert spoken.calls == []


def test_writes_go_out_strict_and_in_our_name():
    with speaking_to(lambda _: says(200, reviews())) as spoken:
        spoken.cluster.apply(reviews(), force=True)
        spoken.cluster.create(reviews())
        spoken.cluster.replace(reviews(resourceVersion="7"))

    apply, create, replace = spoken.calls
    assert (apply.method, create.method, replace.method) == ("PATCH", "POST", "PUT")
    assert apply.target == (
        "/apis/networking.istio.io/v1/namespaces/bookinfo/virtualservices/reviews"
        "?fieldManager=runner&fieldValidation=Strict&force=true"
    )
    assert apply.headers["Content-Type"] == "application/apply-patch+yaml"
    for call in spoken.calls:
        assert "fieldManager=runner&fieldValidation=Strict" in call.target
        assert call.json["spec"] == {"hosts": ["reviews"]}


def test_a_name_cannot_leave_its_place_in_the_path():
    with speaking_to(not_found) as spoken:
        spoken.cluster.get(ObjectRef("v1", "Secret", "a/../../b", "x?y=/../z"))

    assert spoken.calls[0].target == "/api/v1/namespaces/a%2F..%2F..%2Fb/secrets/x%3Fy%3D%2F..%2Fz"


def test_a_list_is_read_to_its_last_page():
    pages = [
        {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}},
        {"items": [{"metadata": {"name": "b"}}], "metadata": {}},
    ]

    with speaking_to([says(200, one) for one in pages]) as spoken:
        found = spoken.cluster.list("v1", "Service", "bookinfo", {"app": "reviews", "version": "v3"})

    assert [item["metadata"]["name"] for item in found] == ["a", "b"]
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "Service")}
    assert "labelSelector=app%3Dreviews%2Cversion%3Dv3" in spoken.calls[0].target
    assert "continue=more" in spoken.calls[1].target


def test_an_object_without_a_namespace_is_not_sent_to_nowhere():
    with speaking_to([]) as spoken, pytest.raises(RunnerError, match="lives in a namespace"):
        spoken.cluster.get(ObjectRef("v1", "Secret", "", "x"))

    assert spoken.calls == []


def test_objects_of_the_whole_cluster_have_no_namespace_in_their_path():
    with speaking_to(not_found) as spoken:
        spoken.cluster.get(ObjectRef("v1", "Namespace", "bookinfo", "bookinfo"))

    assert spoken.calls[0].target == "/api/v1/namespaces/bookinfo"


def test_what_json_and_yaml_read_differently_is_escaped():
    odd = reviews(annotations={"note": "sm\U0001f600ile\u2028\x7f\x85\ufeff"})

    with speaking_to(lambda _: says(200, odd)) as spoken:
        spoken.cluster.apply(odd)

    body = spoken.calls[0].body.decode()
    assert "\U0001f600" in body
    assert "\\ud83d" not in body
    assert "\\u2028\\u007f\\u0085\\ufeff" in body
    assert spoken.calls[0].json == odd


def test_discovery_that_fails_is_no_proof_of_a_missing_kind():
    with serving(discovering(not_found)) as server, speaking_to([]) as spoken:
        server.answer = lambda _: status(503, "ServiceUnavailable", "not yet")
        spoken.now_at(server.url)
        with pytest.raises(TransientError):
            spoken.cluster.get(REVIEWS)


def test_a_write_on_a_connection_that_went_to_sleep_is_sent_once_on_a_new_one():
    closing = Reply(says(200, reviews()).pieces, keep=False)

    with speaking_to(lambda seen: closing if seen.method == "GET" else says(201, reviews())) as spoken:
        spoken.cluster.get(REVIEWS)
        time.sleep(0.05)  # the end of the connection has to arrive
        spoken.cluster.create(reviews())

    assert [seen.method for seen in spoken.calls] == ["GET", "POST"]
    assert spoken.server.connections == 2


def test_speaking_to_a_cluster_is_only_paid_for_by_those_who_do():
    loaded = "import sys, runner.adapters.kubernetes as k; sys.exit('kubernetes' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
