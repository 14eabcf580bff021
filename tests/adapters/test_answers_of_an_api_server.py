"""What an API server answers, or fails to answer, becomes one of five things that can go wrong."""

import pytest

from runner.errors import (
    ApplyConflictError,
    ConflictError,
    FieldConflict,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)
from tests.adapters.api import REVIEWS, not_found, reviews, speaking_to, status
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
    with speaking_to([reply]) as spoken, at_most(40.0), pytest.raises(TransientError) as caught:
        spoken.cluster.get(REVIEWS)

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert len(spoken.calls) == 1


@pytest.mark.parametrize("write", ["apply", "create", "replace"])
@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_write_without_a_usable_answer_is_sent_once_and_called_unknown(reply, write):
    with speaking_to([reply]) as spoken, at_most(40.0), pytest.raises(UnknownOutcomeError):
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


def test_after_a_broken_answer_the_next_call_starts_afresh():
    with speaking_to([dripping(0.05), says(200, reviews())]) as spoken:
        with pytest.raises(TransientError):
            spoken.cluster.get(REVIEWS)

        assert spoken.cluster.get(REVIEWS) == reviews()
