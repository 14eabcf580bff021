"""A plan that was kept is refused as soon as the world that it rests on is another one."""

from runner.review.outdated import outdated
from runner.sandbox.kinds import Key
from runner.stages.ownership import last_editor
from tests.contract.benches import OtherHands

from .places import (
    REVIEWS,
    TARGET,
    bookinfo,
    document_of,
    planned,
    played,
    world_of,
)


def world_with_plan():
    world = world_of(bookinfo())
    played(bookinfo(), world)
    return world, document_of(planned(bookinfo(), world))


def test_a_plan_holds_while_only_statuses_change():
    world, kept = world_with_plan()
    world.clock.sleep_until(world.clock.now() + 60)
    world.present()

    assert outdated(kept, "digest", TARGET, world.cluster) == ()


def test_who_wrote_a_status_has_edited_nothing():
    times = (
        {"manager": "kubectl", "time": "2026-01-01T12:00:00Z"},
        {"manager": "kubelet", "time": "2026-01-01T12:09:00Z", "subresource": "status"},
    )

    assert last_editor({"metadata": {"managedFields": list(times)}}) == "kubectl at 2026-01-01T12:00:00Z"


def test_a_plan_is_outdated_when_somebody_edits_what_it_rests_on():
    world, kept = world_with_plan()
    found = world.cluster.get(REVIEWS)
    OtherHands(world, "kubectl-edit").replace({**found, "spec": {**found["spec"], "replicas": 5}})

    (said,) = outdated(kept, "digest", TARGET, world.cluster)

    assert said.startswith("Deployment/reviews-v3 in namespace bookinfo was changed by kubectl-edit at ")


def test_a_plan_is_outdated_when_an_object_vanishes_or_is_made_anew():
    world, kept = world_with_plan()
    found = world.cluster.get(REVIEWS)
    world.registry.delete(world.present(), Key("apps", "Deployment", "bookinfo", "reviews-v3"))
    gone = outdated(kept, "digest", TARGET, world.cluster)
    fresh = {name: found[name] for name in ("apiVersion", "kind", "spec")}
    metadata = {"name": "reviews-v3", "namespace": "bookinfo", "labels": found["metadata"]["labels"]}
    world.cluster.create({**fresh, "metadata": metadata})
    anew = outdated(kept, "digest", TARGET, world.cluster)

    assert gone == ("Deployment/reviews-v3 in namespace bookinfo is gone",)
    assert anew == ("Deployment/reviews-v3 in namespace bookinfo was deleted and made anew",)


def test_a_plan_is_outdated_when_what_it_would_create_is_there():
    world = world_of(bookinfo())
    kept = document_of(planned(bookinfo(), world))
    OtherHands(world, "helm").create(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "bookinfo-details", "namespace": "bookinfo", "labels": {"by": "helm"}},
        }
    )

    (said,) = outdated(kept, "digest", TARGET, world.cluster)

    assert said.startswith("ServiceAccount/bookinfo-details in namespace bookinfo is there by now, from helm")


def test_a_plan_is_of_one_playbook_and_one_place():
    world, kept = world_with_plan()

    said = outdated(kept, "another", {**TARGET, "namespace": "shop"}, world.cluster)

    assert said == (
        "the playbook, its variables or its manifests changed: planned digest, now another",
        "the namespace is another one: planned bookinfo, now shop",
    )
