"""What changes in an object is said field by field, and what does not matter is not said."""

import pytest

from runner.review.fields import Field, differences, fingerprint


def deployment(**spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "reviews-v3", "namespace": "bookinfo", "uid": "u1", "resourceVersion": "7"},
        "spec": spec,
    }


def containers(*pairs):
    return {"template": {"spec": {"containers": [{"name": name, "image": image} for name, image in pairs]}}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"replicas": 1}, {"replicas": 3}, [Field("spec.replicas", "1", "3")]),
        ({}, {"paused": True}, [Field("spec.paused", None, "true")]),
        ({"paused": False}, {}, [Field("spec.paused", "false", None)]),
        ({"a": None}, {"a": ""}, [Field("spec.a", "null", '""')]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [Field("spec.a[1]", "2", "3")]),
        ({"a": [1]}, {"a": [1, 2]}, [Field("spec.a", "[1]", "[1, 2]")]),
        (
            containers(("app", "r:1"), ("proxy", "p:1")),
            containers(("proxy", "p:1"), ("app", "r:2")),
            [Field("spec.template.spec.containers[app].image", "r:1", "r:2")],
        ),
        (
            containers(("app", "r:1")),
            containers(("app", "r:1"), ("proxy", "p:1")),
            [Field("spec.template.spec.containers[proxy]", None, "{name: proxy, image: p:1}")],
        ),
        ({"a/b.c": 1}, {"a/b.c": 2}, [Field('spec."a/b.c"', "1", "2")]),
        ({"x": {"y": 1}}, {"x": {"y": 1}}, []),
    ],
)
def test_each_change_is_said_where_it_stands(before, after, said):
    assert list(differences(deployment(**before), deployment(**after))) == said


def test_bookkeeping_of_the_server_and_our_marker_are_no_change():
    before, after = deployment(replicas=1), deployment(replicas=1)
    after["metadata"] |= {"resourceVersion": "8", "generation": 2, "annotations": {"runner/run": "{}"}}
    after["status"] = {"replicas": 1}

    assert differences(before, after) == ()


def test_what_a_secret_holds_is_never_shown():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    before, after = secret | {"data": {"key": "b2xk"}}, secret | {"data": {"key": "bmV3", "more": "c2g="}}

    said = differences(before, after)

    assert said == (Field("data.key", "(hidden)", "(hidden)"), Field("data.more", None, "(hidden)"))
    assert differences(secret, after) == (Field("data", None, "(hidden)"),)


def test_a_fingerprint_names_what_is_wanted_and_not_how_it_stands():
    found = deployment(replicas=1)
    later = found | {"status": {"replicas": 1}, "metadata": found["metadata"] | {"resourceVersion": "9"}}

    assert fingerprint(found) == fingerprint(later)
    assert fingerprint(found) != fingerprint(deployment(replicas=2))
