"""A plan says what a run would do, changes nothing, and is right."""

import json
from dataclasses import replace

import jsonschema
import pytest

from runner.engine.events import SplitChanged
from runner.errors import ExitCode
from runner.model.split import split_of
from runner.model.stages import Apply, Manifest, Scale, Stage
from runner.ports import Permission
from runner.review.plan_text import render_markdown
from runner.review.walk import Did
from runner.routers import istio
from runner.routers.marker import Marker, with_marker
from tests.contract.benches import OtherHands
from tests.fakes.release import NS, cluster, virtual_service
from tests.fakes.release import playbook as small

from .places import (
    CASES,
    PLAY,
    ROOT,
    bookinfo,
    document_of,
    empty,
    planned,
    planned_at,
    played,
    refused,
    second,
    text,
    versions,
    world_of,
)

SCHEMA = json.loads((ROOT / "schemas/plan.v1.schema.json").read_text())


def applying(*manifests, **options):
    """The small release after one apply stage."""
    stage = Stage("apply", Apply(tuple(Manifest("k8s.yaml", each) for each in manifests), **options))
    return small(stages=(stage, *small().stages))


def config_map(namespace=NS, **data):
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def stage_of(plan, name):
    return plan.of(next(stage for stage in plan.playbook.stages if stage.name == name))


def golden(name):
    return (CASES / name).read_text(encoding="utf-8")


def test_plan_of_an_empty_cluster_reads_as_it_should():
    plan = empty()

    assert text(plan) == golden("empty.txt")
    assert render_markdown(plan, play=PLAY) == golden("empty.md")


def test_plan_of_a_second_release_says_what_changes_from_what_to_what():
    assert text(second()) == golden("second.txt")


def test_plan_of_a_run_that_would_stop_says_why_and_what_to_try():
    plan = refused()

    assert text(plan) == golden("refused.txt")
    assert render_markdown(plan, play=PLAY) == golden("refused.md")


@pytest.mark.parametrize("world", ["empty", "played"])
def test_a_plan_changes_nothing(world):
    there = world_of(bookinfo())
    if world == "played":
        played(bookinfo(), there)
    before = versions(there)

    planned(bookinfo(canary="v2"), there)

    assert versions(there) == before


def test_the_splits_of_a_plan_are_those_of_the_run_that_follows():
    world = world_of(bookinfo())

    plan = planned(bookinfo(), world)
    run = played(bookinfo(), world)

    said = [(m.route, m.before, m.after) for seen in plan.seen.values() for m in seen.moves]
    done = [(e.route, e.from_, e.to) for e in run.events if isinstance(e, SplitChanged)]
    assert said == done
    assert run.code == plan.code == ExitCode.OK


def test_what_was_planned_to_be_created_is_there_after_the_run():
    world = world_of(bookinfo())

    plan = planned(bookinfo(), world)
    played(bookinfo(), world)

    created = [w.ref for seen in plan.seen.values() for w in seen.written if w.did is Did.CREATED]
    assert len(created) == 24
    assert all(world.cluster.get(ref) is not None for ref in created)


def test_playing_twice_is_planned_to_change_nothing():
    world = world_of(bookinfo())
    played(bookinfo(), world)

    plan = planned(bookinfo(), world)

    assert plan.code == ExitCode.OK
    assert stage_of(plan, "shift 80/20").skipped == "v3 had all the traffic of reviews before this run"
    said = {written.did for seen in plan.seen.values() for written in seen.written}
    assert said == {Did.SAME, Did.LEFT}


def test_a_live_split_half_way_may_not_start():
    plan = planned_at(small(), cluster(("v1", 60), ("v3", 40)))

    assert plan.code == ExitCode.DISAGREEMENT
    assert "reviews is at v1 60 / v3 40 already" in plan.problems[0].message
    assert "--from-here" in plan.problems[0].hint
    assert "not reached" in text(plan)


def test_a_live_split_half_way_may_be_accepted():
    plan = planned_at(small(), cluster(("v1", 60), ("v3", 40)), accept_live=True)

    assert plan.code == ExitCode.OK
    (move,) = stage_of(plan, "shift 80/20").moves
    assert (move.before, move.after) == (split_of({"v1": 60, "v3": 40}), split_of({"v1": 80, "v3": 20}))


def test_a_run_that_is_not_finished_is_named():
    found = virtual_service(("v1", 80), ("v3", 20))
    safe, digest = split_of({"v1": 100}), istio.digest(found, small().routes[0])
    there = cluster()
    there._store(with_marker(found, Marker("7f3a", "shift", 1, safe, digest)), "setup")

    plan = planned_at(small(), there)

    assert plan.code == ExitCode.DISAGREEMENT
    assert "run 7f3a is not finished" in plan.problems[0].message
    assert "runner resume 7f3a" in plan.problems[0].hint
    assert there.writes == []


def test_what_is_missing_is_said_once_with_the_line_that_helps():
    there = cluster()
    del there._objects[("VirtualService", NS, "reviews")]

    plan = planned_at(small(), there)

    (problem,) = plan.problems
    assert plan.code == ExitCode.ERROR
    assert "VirtualService bookinfo/reviews of route 'reviews' does not exist" in problem.message
    assert "kubectl apply" in problem.hint


def test_every_conflict_is_found_not_only_the_first():
    book = applying(config_map(a="1"), {**config_map(a="1"), "metadata": {"name": "other", "namespace": NS}})
    world = world_of(book)
    for manifest in book.stages[0].kind.manifests:
        OtherHands(world, "helm").apply({**manifest.object, "data": {"a": "0"}})

    plan = planned(book, world)

    assert plan.code == ExitCode.ERROR
    assert ["ConfigMap/other" in p.message or "ConfigMap/settings" in p.message for p in plan.problems] == [
        True,
        True,
    ]
    assert all("helm (Apply) owns" in problem.message for problem in plan.problems)


def test_what_kubectl_owns_is_said_to_be_taken_over():
    book = applying(config_map(a="1"), take_over="kubectl")
    world = world_of(book)
    OtherHands(world, "kubectl-client-side-apply").apply(config_map(a="0"))

    plan = planned(book, world)

    (written,) = stage_of(plan, "apply").written
    assert (written.did, written.note) == (Did.CHANGED, "over kubectl's entries, as the stage says")
    assert [(f.path, f.before, f.after) for f in written.fields] == [("data.a", "0", "1")]


def test_objects_of_a_namespace_that_the_playbook_creates_are_planned_unchecked():
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}}
    book = applying(namespace, config_map("fresh", a="1"))

    plan = planned(book, world_of(book))

    first, second = stage_of(plan, "apply").written
    assert (first.did, first.unchecked) == (Did.CREATED, False)
    assert (second.did, second.unchecked) == (Did.CREATED, True)
    assert plan.code == ExitCode.OK


def test_objects_of_a_namespace_that_nobody_creates_are_refused():
    book = applying(config_map("fresh", a="1"))

    plan = planned(book, world_of(book))

    assert plan.code == ExitCode.ERROR
    assert "kubectl create namespace fresh" in plan.problems[0].hint


def test_a_cause_that_many_objects_share_is_told_once():
    book = applying(
        *(
            config_map("fresh", a=str(n)) | {"metadata": {"name": f"s{n}", "namespace": "fresh"}}
            for n in range(5)
        )
    )

    plan = planned(book, world_of(book))

    assert [problem.stage for problem in plan.problems] == ["apply"]
    assert [written.did for written in stage_of(plan, "apply").written] == [Did.REFUSED] * 5
    assert "4 more objects refused for a cause that is told already" in text(plan)


def test_an_object_that_is_applied_twice_is_compared_with_what_it_would_be_by_then():
    book = applying(config_map(a="1"), config_map(a="2"))

    plan = planned(book, world_of(book))

    first, second = stage_of(plan, "apply").written
    assert first.did is Did.CREATED
    assert [(f.path, f.before, f.after) for f in second.fields] == [("data.a", "1", "2")]


def test_replicas_are_said_from_to():
    book = small(stages=(*small().stages, Stage("more", Scale("reviews-v3", replicas=3))))
    world = world_of(bookinfo())
    played(bookinfo(), world)
    one_back = replace(small().routes[0], stable="v3", canary="v1")

    plan = planned(replace(book, routes=(one_back,), stages=book.stages[-1:]), world)

    (written,) = stage_of(plan, "more").written
    assert [(f.path, f.before, f.after) for f in written.fields] == [("spec.replicas", "1", "3")]


def test_a_deployment_with_an_autoscaler_is_refused():
    there = cluster()
    there._store(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "namespace": NS},
            "spec": {},
        },
        "setup",
    )
    target = {"kind": "Deployment", "name": "d"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "namespace": NS},
    }
    there._store({**scaler, "spec": {"scaleTargetRef": target}}, "setup")

    plan = planned_at(small(stages=(*small().stages, Stage("more", Scale("d", replicas=3)))), there)

    assert "is scaled by HorizontalPodAutoscaler h" in plan.problems[0].message


def test_a_route_that_argo_cd_owns_is_refused_with_the_snippet():
    there = cluster()
    there.edit(
        "VirtualService",
        NS,
        "reviews",
        lambda found: found["metadata"].update(annotations={"argocd.argoproj.io/tracking-id": "x"}),
    )

    plan = planned_at(small(), there)

    assert plan.code == ExitCode.ERROR
    assert "belongs to Argo CD" in plan.problems[0].message
    assert "ignoreDifferences" in plan.problems[0].hint


def test_a_canary_without_pods_is_said_to_be_waited_for():
    there = cluster()
    del there._objects[("Pod", NS, "reviews-v3")]

    plan = planned_at(small(), there)

    assert stage_of(plan, "shift 80/20").waits == ("subset v3 has no ready endpoint",)
    assert plan.code == ExitCode.OK


def test_missing_permissions_are_listed():
    missing = Permission("update", "networking.istio.io", "virtualservices", NS, "reviews")

    plan = planned_at(small(), cluster(), missing=(missing,))

    assert plan.code == ExitCode.ERROR
    assert "update virtualservices.networking.istio.io reviews in namespace bookinfo" in text(plan)


@pytest.mark.parametrize("case", ["empty", "played", "refused"])
def test_the_document_keeps_its_schema(case):
    world = world_of(bookinfo())
    if case == "played":
        played(bookinfo(), world)
    book = applying(config_map("nowhere")) if case == "refused" else bookinfo()

    document = document_of(planned(book, world))

    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(json.dumps(document)))


def test_names_of_others_cannot_write_to_the_terminal_or_leave_the_fence():
    book = small(name="\x1b]0;owned\x07", stages=(Stage("a\x1b[2J```", small().stages[0].kind),))

    plan = planned_at(book, cluster())

    assert "\x1b" not in text(plan)
    markdown = render_markdown(plan, play=PLAY)
    assert "\x1b" not in markdown
    assert markdown.count("```") == 2
