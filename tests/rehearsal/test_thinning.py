"""A gate that is played alone needs the versions of its route, and not the rest of the application."""

from dataclasses import replace
from pathlib import Path

from runner.document import read_playbook
from runner.model.stages import Scale, Stage
from runner.rehearsal.gates import alone, gates_of
from runner.rehearsal.thinning import needed

BOOKINFO = read_playbook(str(Path(__file__).parents[2] / "playbooks" / "bookinfo-canary.yaml")).playbook
THERE = alone(BOOKINFO, gates_of(BOOKINFO)[0]).there
RULES = [manifest.object for manifest in THERE if manifest.object["kind"] == "DestinationRule"]


def named(manifests, kind):
    return {m.object["metadata"]["name"] for m in manifests if m.object["kind"] == kind}


def test_only_the_versions_of_the_route_are_kept():
    kept = needed(THERE, BOOKINFO, RULES)

    assert named(kept, "Deployment") == {"reviews-v1", "reviews-v2", "reviews-v3"}
    assert named(kept, "Service") == named(THERE, "Service")
    assert named(kept, "VirtualService") == named(THERE, "VirtualService")


def test_what_is_scaled_is_kept():
    scaled = replace(
        BOOKINFO, stages=(*BOOKINFO.stages, Stage("scale", Scale("ratings-v1", like="details-v1")))
    )

    assert {"ratings-v1", "details-v1"} <= named(needed(THERE, scaled, RULES), "Deployment")


def test_everything_is_kept_where_nobody_can_tell_what_is_needed():
    assert needed(THERE, BOOKINFO, []) == THERE
    assert needed((), BOOKINFO, RULES) == ()
