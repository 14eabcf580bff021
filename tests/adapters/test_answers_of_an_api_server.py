"""What an API server answers, or fails to answer, becomes one of five things that can go wrong."""

import subprocess
import sys
import time

import pytest

from runner.errors import (
    ApplyConflictError,
    ConflictError,
    FieldConflict,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)
from runner.ports import ObjectRef
from tests.adapters.api import REVIEWS, discovering, not_found, reviews, speaking_to, status
from tests.adapters.loopback import (
    Reply,
    Seen,
    at_most,
    dripping,
    dripping_headers,
    hang_up,
    html,
    page,
    refused_port,
    says,
    serving,
    silence,
    truncated,
)

BROKEN = {
    "silence": silence(),
    "hang up": hang_up(),
    "truncated": truncated(),
    "dripping": dripping(0.05),
    "dripping headers": dripping_headers(0.05),
    "not HTTP": Reply([b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "not JSON": page(200, b"{", "application/json"),
    "login page": html(200),
    "bad gateway": html(502),
    "larger than anything": page(200, b"[" + b" " * (9 << 20)),
    "internal error": status(500, "InternalError", "etcdserver: request timed out"),
    "gateway timeout": status(504, "Timeout", "request did not complete within requested timeout"),
    "unavailable": status(503, "ServiceUnavailable", "apiserver is shutting down"),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_read_without_a_usable_answer_may_be_asked_again(reply):
    with speaking_to([reply]) as spoken, at_most(4.0), pytest.raises(TransientError) as caught:
        spoken.cluster.get(REVIEWS)

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert len(spoken.calls) == 1


@pytest.mark.parametrize("write", ["apply", "create", "replace"])
@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_write_without_a_usable_answer_is_sent_once_and_called_unknown(reply, write):
    with speaking_to([reply]) as spoken, at_most(4.0), pytest.raises(UnknownOutcomeError):
        getattr(spoken.cluster, write)(reviews(resourceVersion="7"))

    assert len(spoken.calls) == 1


def test_a_write_that_never_left_is_known_not_to_have_happened():
    with speaking_to([not_found(Seen("GET", "/", {}, b""))]) as spoken:
        spoken.cluster.get(REVIEWS)  # the kind is known from here on
        spoken.now_at(f"http://127.0.0.1:{refused_port()}")
        with pytest.raises(TransientError) as caught:
            spoken.cluster.create(reviews())

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert "connection refused" in caught.value.message


def test_a_dry_run_writes_nothing_so_its_outcome_is_never_unknown():
    with speaking_to([hang_up()]) as spoken, pytest.raises(TransientError) as caught:
        spoken.cluster.apply(reviews(), dry_run=True)

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert "dryRun=All" in spoken.calls[0].target


def test_a_busy_server_says_how_long_to_leave_it_alone():
    busy = says(429, {"kind": "Status", "code": 429, "message": "too many requests"}, Retry_After="7")

    with speaking_to([busy]) as spoken, pytest.raises(TransientError) as caught:
        spoken.cluster.replace(reviews(resourceVersion="7"))

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert caught.value.retry_after == 7


def test_redirects_are_not_followed():
    moved = page(302, b"", Location="http://169.254.169.254/latest")

    with speaking_to([moved]) as spoken, pytest.raises(RunnerError, match="redirects are not followed"):
        spoken.cluster.get(REVIEWS)

    assert len(spoken.calls) == 1


def test_what_does_not_exist_is_none():
    with speaking_to(not_found) as spoken:
        assert spoken.cluster.get(REVIEWS) is None


def test_a_404_from_something_in_between_proves_nothing():
    with speaking_to([html(404)]) as spoken, pytest.raises(RunnerError, match="no API server"):
        spoken.cluster.get(REVIEWS)


def test_a_missing_namespace_comes_with_the_line_that_makes_it():
    missing = status(404, "NotFound", 'namespaces "bookinfo" not found', name="bookinfo", kind="namespaces")

    with speaking_to([missing]) as spoken, pytest.raises(RunnerError) as caught:
        spoken.cluster.apply(reviews())

    assert caught.value.hint == (
        "kubectl create namespace bookinfo && kubectl label namespace bookinfo istio-injection=enabled"
    )


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


@pytest.mark.parametrize(
    ("reply", "words", "hint"),
    [
        (status(401, "Unauthorized", "Unauthorized"), "does not accept these credentials", "log in again"),
        (
            status(
                403,
                "Forbidden",
                'virtualservices.networking.istio.io "reviews" is forbidden: User "me" cannot patch resource',
                name="reviews",
                group="networking.istio.io",
                kind="virtualservices",
            ),
            "cannot patch resource",
            "kubectl auth can-i patch virtualservices.networking.istio.io/reviews -n bookinfo",
        ),
        (
            status(
                403,
                "Forbidden",
                "unable to create new content in namespace bookinfo because it is being terminated",
                name="reviews",
                kind="virtualservices",
                causes=[{"reason": "NamespaceTerminating", "message": "..", "field": "metadata.namespace"}],
            ),
            "being terminated",
            "is being deleted",
        ),
        (
            status(
                400,
                "BadRequest",
                'admission webhook "rev.validation.istio.io" denied the request: weight -20 < 0',
            ),
            "weight -20 < 0",
            "the cluster's own checks refuse",
        ),
        (
            status(400, "BadRequest", 'strict decoding error: unknown field "spec.hosst"'),
            "spec.hosst",
            "misspelt",
        ),
        (status(422, "Invalid", "spec.hosts: Required value"), "spec.hosts: Required value", ""),
        (html(403), "no API server", "login page"),
    ],
    ids=["401", "403", "terminating", "webhook", "strict", "422", "proxy"],
)
def test_a_refusal_is_final_and_says_what_to_do(reply, words, hint):
    with speaking_to([reply]) as spoken, pytest.raises(RunnerError) as caught:
        spoken.cluster.apply(reviews())

    assert not isinstance(caught.value, TransientError | ConflictError | ApplyConflictError)
    assert words in caught.value.message
    assert hint in (caught.value.hint or "")


def test_values_of_a_secret_do_not_leave_an_error():
    refused = status(
        422,
        "Invalid",
        'Secret "db" is invalid: data[password]: Invalid value: "hunter2"',
        causes=[
            {"reason": "FieldValueInvalid", "message": 'Invalid value: "hunter2"', "field": "data[password]"}
        ],
    )
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "bookinfo"}}

    with speaking_to([refused]) as spoken, pytest.raises(RunnerError) as caught:
        spoken.cluster.apply(secret)

    assert "hunter2" not in caught.value.message
    assert "data[password]" in caught.value.message


def test_an_apply_conflict_names_manager_operation_and_field():
    refused = status(
        409,
        "Conflict",
        "Apply failed with 3 conflicts",
        causes=[
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "runner" using networking.istio.io/v1 at 2026-11-22T10:00:00Z',
                "field": ".spec.http",
            },
            {"reason": "FieldManagerConflict", "message": 'conflict with "argocd"', "field": ".spec.hosts"},
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "hpa" with subresource "scale" using apps/v1',
                "field": ".spec.replicas",
            },
        ],
    )

    with speaking_to([refused]) as spoken, pytest.raises(ApplyConflictError) as caught:
        spoken.cluster.apply(reviews())

    assert caught.value.conflicts == (
        FieldConflict("runner", "Update", ".spec.http"),
        FieldConflict("argocd", "Apply", ".spec.hosts"),
        FieldConflict("hpa", "Update", ".spec.replicas"),
    )


@pytest.mark.parametrize(
    ("write", "reply"),
    [
        ("create", status(409, "AlreadyExists", 'virtualservices "reviews" already exists')),
        ("replace", status(409, "Conflict", "the object has been modified")),
        ("replace", status(404, "NotFound", 'virtualservices "reviews" not found', kind="virtualservices")),
    ],
)
def test_a_newer_object_is_a_conflict(write, reply):
    with speaking_to([reply]) as spoken, pytest.raises(ConflictError):
        getattr(spoken.cluster, write)(reviews(resourceVersion="7"))


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


def test_after_a_broken_answer_the_next_call_starts_afresh():
    with speaking_to([dripping(0.05), says(200, reviews())]) as spoken:
        with pytest.raises(TransientError):
            spoken.cluster.get(REVIEWS)

        assert spoken.cluster.get(REVIEWS) == reviews()


def test_speaking_to_a_cluster_is_only_paid_for_by_those_who_do():
    loaded = "import sys, runner.adapters.kubernetes as k; sys.exit('kubernetes' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
