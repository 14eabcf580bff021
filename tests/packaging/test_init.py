"""`runner init` writes files that are good as they are, and never writes over others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.adapters.loopback import Reply, Seen, says, serving

ROOT = Path(__file__).resolve().parents[2]
ISTIO = "networking.istio.io/v1"
API = f"/apis/{ISTIO}"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`runner *arguments` in *folder*, with a fresh home and no cluster."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "runner", *arguments]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_example_is_the_repositorys_and_points_to_schemas_beside_it(tmp_path: Path) -> None:
    ran = run(tmp_path, "init", "--example", "bookinfo")

    assert ran.returncode == 0, ran.stderr
    written = {path.relative_to(tmp_path / "playbooks") for path in (tmp_path / "playbooks").rglob("*.yaml")}
    assert written == {path.relative_to(ROOT / "playbooks") for path in (ROOT / "playbooks").rglob("*.yaml")}
    for name in written:
        first = (tmp_path / "playbooks" / name).read_text().splitlines()[0]
        if "$schema=" in first:
            assert (tmp_path / "playbooks" / name.parent / first.partition("$schema=")[2]).is_file()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "playbooks/bookinfo/gateway.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")

    refused = run(tmp_path, "init", "--example", "bookinfo")
    kept, others = mine.read_text(), list((tmp_path / "playbooks").rglob("*.yaml"))
    forced = run(tmp_path, "init", "--example", "bookinfo", "--force")
    again = run(tmp_path, "init", "--example", "bookinfo")

    assert (refused.returncode, kept, others) == (1, "mine\n", [mine])
    assert "playbooks/bookinfo/gateway.yaml" in refused.stderr
    assert forced.returncode == 0
    assert mine.read_bytes() == (ROOT / "playbooks/bookinfo/gateway.yaml").read_bytes()
    assert again.returncode == 0
    assert "wrote" not in again.stdout


def test_the_starter_validates_and_plays_as_it_is(tmp_path: Path) -> None:
    made = run(tmp_path, "init", "--service", "orders", "-n", "shop")
    checked = run(tmp_path, "validate", "playbooks")
    played = run(tmp_path, "play", "playbooks/orders-release.yaml", "--sandbox")

    assert made.returncode == 0, made.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert played.returncode == 0, played.stdout + played.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--example", "bookinfo", "--service", "orders"), "exclude each other"),
        (("--service", "Orders"), "no name in Kubernetes"),
        (("--from", "service/orders"), "no VirtualService"),
        (("--from", "virtualservice/"), "no VirtualService"),
    ],
)
def test_wrong_usage_is_said_in_words(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run(tmp_path, "init", *arguments)

    assert ran.returncode == 2
    assert said in ran.stderr
    assert not (tmp_path / "playbooks").exists()


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ran = run(tmp_path, "init", "file/playbooks")

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: file/playbooks/")


def cluster(seen: Seen) -> Reply:
    """An API server with Bookinfo's reviews and nothing else."""
    kinds = [("virtualservices", "VirtualService"), ("destinationrules", "DestinationRule")]
    resources = [{"name": name, "kind": kind, "namespaced": True} for name, kind in kinds]
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    answers = {
        API: {"kind": "APIResourceList", "resources": resources},
        f"{API}/namespaces/bookinfo/virtualservices/reviews": {
            "apiVersion": ISTIO,
            "kind": "VirtualService",
            "metadata": {"name": "reviews", "namespace": "bookinfo"},
            "spec": {
                "hosts": ["reviews"],
                "http": [{"route": [{"destination": {"host": "reviews", "subset": "v1"}}]}],
            },
        },
        f"{API}/namespaces/bookinfo/destinationrules": {
            "kind": "DestinationRuleList",
            "items": [{"metadata": {"name": "r"}, "spec": {"host": "reviews", "subsets": subsets}}],
        },
    }
    missing = {
        "kind": "Status",
        "status": "Failure",
        "code": 404,
        "reason": "NotFound",
        "message": "not found",
    }
    return says(200, answers[seen.path]) if seen.path in answers else says(404, missing)


def kubeconfig(folder: Path, server: str) -> str:
    context = {"name": "here", "context": {"cluster": "here", "namespace": "bookinfo"}}
    whole = {"clusters": [{"name": "here", "cluster": {"server": server}}], "contexts": [context]}
    (folder / "kubeconfig").write_text(json.dumps({**whole, "current-context": "here"}))
    return str(folder / "kubeconfig")


def test_a_live_virtual_service_becomes_a_playbook_and_is_only_read(tmp_path: Path) -> None:
    with serving(cluster) as server:
        ran = run(
            tmp_path,
            "init",
            "--from",
            "virtualservice/reviews",
            "--kubeconfig",
            kubeconfig(tmp_path, server.url),
        )
        methods = {seen.method for seen in server.seen}

    assert ran.returncode == 0, ran.stderr
    written = yaml.safe_load((tmp_path / "playbooks/reviews-release.yaml").read_text())
    assert written["routes"] == {"reviews": {"virtualService": "reviews", "canary": "{{ canary }}"}}
    assert (written["vars"]["canary"], written["target"]["namespace"]) == ("v2", "bookinfo")
    assert methods == {"GET"}


def test_a_virtual_service_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with serving(cluster) as server:
        ran = run(tmp_path, "init", "--from", "vs/ratings", "--kubeconfig", kubeconfig(tmp_path, server.url))

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: VirtualService bookinfo/ratings does not exist\nhint: ")
