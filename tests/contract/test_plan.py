"""A plan reads and changes nothing, and says what a server then does: on the embedded one and on a real one."""

import pytest

from runner.model.playbook import Playbook, Target
from runner.model.stages import Apply, Manifest, Scale, Stage
from runner.ports import ObjectRef
from runner.review.fields import differences
from runner.review.outdated import outdated
from runner.review.plan import Guess, Plan, Site, make_plan
from runner.review.plan_document import as_document
from runner.review.walk import Did
from tests.contract.benches import CLUSTERS, NOON, Bench
from tests.fakes.world import FakeMetrics

LABELS = {"app": "shop"}


def deployment(bench: Bench, image: str = "shop:1") -> dict:
    container = {"name": "shop", "image": image, "ports": [{"containerPort": 80}]}
    pod = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": bench.namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": pod},
    }


def config_map(bench: Bench, **data: str) -> dict:
    metadata = {"name": "settings", "namespace": bench.namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def planned(bench: Bench, *stages: Stage) -> Plan:
    book = Playbook("shop", "1", Target(bench.namespace), routes=(), guards=(), stages=stages)
    metrics = FakeMetrics(lambda *_: "nobody answers")
    return make_plan(book, Site(bench.cluster, metrics, NOON, {"namespace": bench.namespace}), Guess())


def applying(*manifests: dict) -> Stage:
    return Stage("apply", Apply(tuple(Manifest("k8s.yaml", each) for each in manifests)))


def refs(*manifests: dict) -> list[ObjectRef]:
    return [
        ObjectRef(each["apiVersion"], each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
        for each in manifests
    ]


@pytest.fixture(params=CLUSTERS)
def bench(request):
    with request.param() as made:
        yield made


def test_what_a_plan_would_create_is_not_there_afterwards(bench) -> None:
    wanted = (deployment(bench), config_map(bench, a="1"))

    plan = planned(bench, applying(*wanted))

    assert [written.did for written in plan.seen["apply"].written] == [Did.CREATED, Did.CREATED]
    assert [bench.cluster.get(ref) for ref in refs(*wanted)] == [None, None]


def test_what_is_applied_already_is_planned_to_stay_as_it_is(bench) -> None:
    wanted = (deployment(bench), config_map(bench, a="1"))
    for manifest in wanted:
        bench.cluster.apply(manifest)

    plan = planned(bench, applying(*wanted))

    assert [written.did for written in plan.seen["apply"].written] == [Did.SAME, Did.SAME]


def test_a_plan_names_the_fields_that_the_server_then_changes(bench) -> None:
    bench.cluster.apply(deployment(bench))
    (ref,) = refs(deployment(bench))
    before = bench.cluster.get(ref)

    plan = planned(bench, applying(deployment(bench, "shop:2")), Stage("more", Scale("shop", replicas=3)))
    bench.cluster.apply(deployment(bench, "shop:2"))
    after = bench.cluster.get(ref)

    (applied,), (scaled,) = plan.seen["apply"].written, plan.seen["more"].written
    assert applied.fields == differences(before, after)
    assert [(f.path, f.before, f.after) for f in applied.fields] == [
        ("spec.template.spec.containers[shop].image", "shop:1", "shop:2")
    ]
    assert [(f.path, f.before, f.after) for f in scaled.fields] == [("spec.replicas", "1", "3")]


def test_a_conflict_is_planned_as_a_run_would_meet_it(bench) -> None:
    bench.by("helm").apply(config_map(bench, a="0"))

    plan = planned(bench, applying(config_map(bench, a="1")))

    assert plan.code == 1
    assert "helm (Apply) owns .data.a" in plan.problems[0].message


def test_a_plan_holds_until_somebody_edits_what_it_rests_on(bench) -> None:
    bench.cluster.apply(config_map(bench, a="1"))
    target = {"namespace": bench.namespace}
    kept = as_document(planned(bench, applying(config_map(bench, a="2"))), {}, "digest")

    before = outdated(kept, "digest", target, bench.cluster)
    (ref,) = refs(config_map(bench))
    found = bench.cluster.get(ref)
    bench.by("kubectl-edit").replace({**found, "data": {"a": "3"}})
    after = outdated(kept, "digest", target, bench.cluster)

    assert before == ()
    assert [said.split(" at ")[0] for said in after] == [
        f"ConfigMap/settings in namespace {bench.namespace} was changed by kubectl-edit"
    ]
