"""Clusters as one finds them: each trouble has words and an exit code, and nothing was changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig import play, traffic
from rig.cluster import Bookinfo, Object
from rig.valve import Valve

V1 = {"host": "reviews", "subset": "v1"}


def test_two_routes_that_could_be_meant_are_both_named(installed: Bookinfo, tmp_path: Path) -> None:
    testers = {
        "name": "testers",
        "match": [{"headers": {"end-user": {"exact": "jason"}}}],
        "route": [{"destination": V1}],
    }
    _set_http(installed, [testers, {"name": "everybody", "route": [{"destination": V1}]}])
    said = _refused(installed, tmp_path, 1)
    assert "testers" in said
    assert "everybody" in said


def test_delegated_routes_are_refused_with_what_to_name_instead(installed: Bookinfo, tmp_path: Path) -> None:
    installed.kubectl("delete", "virtualservice", "reviews")
    spec = {
        "hosts": ["reviews"],
        "gateways": ["bookinfo-gateway"],
        "http": [{"delegate": {"name": "elsewhere"}}],
    }
    _apply(installed, "VirtualService", "reviews", spec | {"hosts": ["*"]})
    assert "delegate" in _refused(installed, tmp_path, 1)


def test_host_may_be_written_in_full(installed: Bookinfo, tmp_path: Path) -> None:
    full = f"reviews.{installed.namespace}.svc.cluster.local"
    _set_http(installed, [{"route": [{"destination": {"host": full, "subset": "v1"}}]}])
    run = play.of(installed, tmp_path, "interrupted.yaml", "--until", "twenty")
    assert run.finish() == 0, run.said()
    assert installed.weights() == {"v1": 80, "v3": 20}
    assert installed.virtual_service()["spec"]["http"][0]["route"][1]["destination"]["host"] == full


def test_fewer_canary_pods_than_its_share_are_refused(installed: Bookinfo, tmp_path: Path) -> None:
    installed.kubectl("scale", "deployment/reviews-v1", "--replicas=4")
    installed.kubectl("rollout", "status", "deployment/reviews-v1")
    before = installed.virtual_service()["spec"]
    with traffic.Load(installed.reviews_url, rps=20):
        run = play.of(installed, tmp_path, "watched.yaml")
        assert run.finish() == 3, run.said()
    assert "1 ready pod," in run.all(play.named("stage.failed"))[0]["reason"]
    assert installed.virtual_service()["spec"] == before


def test_autoscaler_on_a_scaled_deployment_is_refused(installed: Bookinfo, tmp_path: Path) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "reviews-v3"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
    _apply(installed, "HorizontalPodAutoscaler", "reviews-v3", spec, "autoscaling/v2")
    with traffic.Load(installed.reviews_url, rps=60):
        run = play.of(installed, tmp_path, "interrupted.yaml")
        code = run.finish()
    assert code == 1, run.said()
    assert "HorizontalPodAutoscaler" in run.said()


@pytest.mark.parametrize(
    "owner",
    [
        {
            "annotations": {
                "argocd.argoproj.io/tracking-id": "books:networking.istio.io/VirtualService:bookinfo/reviews"
            }
        },
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "books"}},
    ],
    ids=["Argo CD", "Flux"],
)
def test_route_that_gitops_owns_is_refused_with_what_to_paste(
    owner: Object, installed: Bookinfo, tmp_path: Path
) -> None:
    installed.kubectl(
        "patch", "virtualservice", "reviews", "--type=merge", "-p", json.dumps({"metadata": owner})
    )
    assert "gitops" in _refused(installed, tmp_path, 1)


def test_namespace_that_is_missing_is_named_with_the_line_that_makes_it(
    bookinfo: Bookinfo, tmp_path: Path
) -> None:
    nowhere = Bookinfo(bookinfo.cluster, "not-there")
    run = play.of(nowhere, tmp_path, "interrupted.yaml")
    assert run.finish() == 1, run.said()
    assert "kubectl create namespace not-there" in run.said()


def test_prometheus_that_goes_away_is_not_a_passed_guard(installed: Bookinfo, tmp_path: Path) -> None:
    with Valve(installed.cluster.prometheus) as valve, traffic.Load(installed.reviews_url, rps=60):
        run = play.of(installed, tmp_path, "watched.yaml", prometheus=valve.url)
        run.wait_for(play.named("stage.started", stage="soak"))
        valve.shut()
        assert run.finish() == 3, run.said()
    assert installed.weights() == {"v1": 100}


def _refused(bookinfo: Bookinfo, folder: Path, code: int) -> str:
    """Play, expect this exit code and an untouched VirtualService, and return what was said."""
    before = bookinfo.virtual_service()
    run = play.of(bookinfo, folder, "interrupted.yaml")
    assert run.finish() == code, run.said()
    after = bookinfo.virtual_service()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    return run.said()


def _set_http(bookinfo: Bookinfo, http: list[Object]) -> None:
    patch = [{"op": "replace", "path": "/spec/http", "value": http}]
    bookinfo.kubectl("patch", "virtualservice", "reviews", "--type=json", "-p", json.dumps(patch))


def _apply(
    bookinfo: Bookinfo, kind: str, name: str, spec: Object, version: str = "networking.istio.io/v1"
) -> None:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    bookinfo.kubectl("apply", "-f", "-", give=json.dumps(document))
