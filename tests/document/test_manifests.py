"""Manifests: read as kubectl reads them, from inside the repository, as they will be applied."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.document import Loaded, read_playbook
from runner.document.kubernetes_yaml import is_cluster_scoped, parse_manifests
from runner.document.manifests import without_tag
from runner.errors import InvalidDocumentError, RunnerError

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a playbook folder; `k8s/` lies beside it."""
    for folder in (".git", "playbooks/more", "k8s/deep/deeper", "k8s/.hidden"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("b", "a", "deep/c", "deep/deeper/d", ".hidden/e", ".f"):
        (tmp_path / "k8s" / f"{name}.yaml").write_text(
            SERVICE.replace("NAME", name.rpartition("/")[2].strip("."))
        )
    (tmp_path / "k8s/notes.txt").write_text("not a manifest")
    return tmp_path


@pytest.fixture
def applied(repository: Path) -> Callable[..., Loaded]:
    """The playbook with one apply stage, read."""

    def read(body: str, extra: str = "", **wishes: Any) -> Loaded:
        file = repository / "playbooks/p.yaml"
        file.write_text(
            "apiVersion: runner/v1\nkind: Playbook\nmetadata: {name: p}\ntarget: {namespace: shop}\n"
            f"{extra}stages:\n  - name: apply\n    apply: {body}\n"
        )
        return read_playbook(file, **wishes)

    return read


def names(loaded: Loaded) -> list[str]:
    return [each["object"]["metadata"]["name"] for each in loaded.manifests["apply"]]


def refused(applied: Callable[..., Loaded], body: str, **wishes: Any) -> list[str]:
    with pytest.raises(InvalidDocumentError) as caught:
        applied(body, **wishes)
    return [found.code for found in caught.value.diagnostics if found.severity == "error"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("[../k8s/b.yaml, ../k8s/a.yaml]", ["b", "a"]),
        ("[../k8s]", ["a", "b"]),
        ("[../k8s/]", ["a", "b"]),
        ('["../k8s/*.yaml"]', ["a", "b"]),
        ('["../k8s/[b-z].yaml"]', ["b"]),
        ('["../k8s/?.yaml"]', ["a", "b"]),
        ('["../k8s/*/*.yaml"]', ["c"]),
        ('["../k8s/**/*.yaml"]', ["a", "b", "c", "d"]),
        ('["../k8s/**/d.yaml"]', ["d"]),
        ('["../**/deep/**/*.yaml"]', ["c", "d"]),
    ],
)
def test_files_folders_and_globs_name_manifests_in_order(
    applied: Callable[..., Loaded], files: str, found: list[str]
) -> None:
    assert names(applied(f"{{files: {files}}}")) == found


def test_files_are_named_relative_to_the_playbook(applied: Callable[..., Loaded]) -> None:
    loaded = applied("{files: [more/../../k8s/a.yaml]}")

    assert [each["file"] for each in loaded.manifests["apply"]] == ["../k8s/a.yaml"]


def test_nothing_outside_the_repository_is_read(applied: Callable[..., Loaded], repository: Path) -> None:
    outside = repository.parent / "outside.yaml"
    outside.write_text("secret: text\n")
    (repository / "k8s/out.yaml").symlink_to(outside)
    (repository / "k8s/in.yaml").symlink_to("a.yaml")
    (repository / "elsewhere").symlink_to(repository.parent)

    assert refused(applied, "{files: [../../outside.yaml]}") == ["RUN302"]
    assert refused(applied, f"{{files: [{outside}]}}") == ["RUN302"]
    assert refused(applied, '{files: ["../../*.yaml"]}') == ["RUN302"]
    assert refused(applied, "{files: [../k8s/out.yaml]}") == ["RUN303"]
    assert refused(applied, "{files: [../elsewhere/outside.yaml]}") == ["RUN303"]
    assert refused(applied, '{files: ["../k8s/o*.yaml"]}') == ["RUN303"]
    assert names(applied("{files: [../k8s/in.yaml]}")) == ["a"]
    assert refused(applied, "{files: [../k8s/a.yaml]}", root=str(repository / "playbooks")) == ["RUN302"]


def test_what_is_no_plain_file_is_refused(applied: Callable[..., Loaded], repository: Path) -> None:
    import os

    os.mkfifo(repository / "k8s/pipe.yaml")
    (repository / "k8s/large.yaml").write_text("#" * 1024 * 1024 + "\n")

    assert refused(applied, "{files: [../k8s/pipe.yaml]}") == ["RUN304"]
    assert refused(applied, "{files: [../k8s/large.yaml]}") == ["RUN308"]


def test_a_pattern_that_means_everything_is_refused(applied: Callable[..., Loaded], repository: Path) -> None:
    (repository / "many").mkdir()
    for n in range(300):
        (repository / f"many/{n}.yaml").write_text(SERVICE.replace("NAME", f"s{n}"))

    assert refused(applied, "{files: [../many]}") == ["RUN308"]


def test_many_stars_end_soon(applied: Callable[..., Loaded], repository: Path) -> None:
    (repository / "k8s" / ("a" * 200)).write_text("")

    assert refused(applied, '{files: ["../k8s/' + "*a" * 100 + '*b"]}') == ["RUN301"]


def test_documents_lists_and_scalars_are_kubectls(applied: Callable[..., Loaded], repository: Path) -> None:
    (repository / "k8s/mixed.yaml").write_text(
        "# first nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: modes}\ndata: {'on': 'yes'}\n"
        "x: &mode {defaultMode: 0644}\nz: {<<: *mode, enabled: yes, day: 2026-11-22, 'on': off}\n"
        "---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: s}}\n"
        "- {apiVersion: v1, kind: Namespace, metadata: {name: space}}\n"
    )

    objects = [each["object"] for each in applied("{files: [../k8s/mixed.yaml]}").manifests["apply"]]

    assert [each["kind"] for each in objects] == ["ConfigMap", "Service", "Namespace"]
    assert objects[0]["data"] == {"on": "yes"}
    assert objects[0]["z"] == {"defaultMode": 420, "enabled": True, "day": "2026-11-22", "on": False}


def test_objects_go_to_the_target_unless_they_say_otherwise(
    applied: Callable[..., Loaded], repository: Path
) -> None:
    (repository / "k8s/spaces.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: here}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: there, namespace: other}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: everywhere}\n---\n"
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: routes}\n"
    )

    def spaces(**wishes: Any) -> list[Any]:
        loaded = applied("{files: [../k8s/spaces.yaml]}", **wishes)
        return [each["object"]["metadata"].get("namespace") for each in loaded.manifests["apply"]]

    assert spaces() == ["shop", "other", None, "shop"]
    assert spaces(namespace="staging") == ["staging", "other", None, "staging"]


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("v1", "Namespace", True),
        ("v1", "Pod", False),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", True),
        ("networking.istio.io/v1alpha3", "DestinationRule", False),
        ("cert-manager.io/v1", "ClusterIssuer", True),
        ("cluster.x-k8s.io/v1beta1", "Cluster", False),
        ("operators.coreos.com/v1alpha1", "ClusterServiceVersion", False),
    ],
)
def test_kinds_of_the_whole_cluster_are_known(version: str, kind: str, *, expected: bool) -> None:
    assert is_cluster_scoped(version, kind) is expected


def test_manifests_are_untouched_unless_the_stage_says_template(
    applied: Callable[..., Loaded], repository: Path
) -> None:
    (repository / "k8s/t.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 'o-{{ tag }}', labels: {'n': '{{ count }}'}}\n"
        "spec: {replicas: '{{ count }}', note: '{{ tag }} x{{ count }}'}\n"
    )
    variables = "vars: {tag: v2, count: 3}\n"

    plain = applied("{files: [../k8s/t.yaml]}", "vars: {}\n").manifests["apply"][0]["object"]
    filled = applied("{files: [../k8s/t.yaml], template: true}", variables).manifests["apply"][0]["object"]

    assert plain["metadata"]["name"] == "o-{{ tag }}"
    assert filled["metadata"] == {"name": "o-v2", "labels": {"n": "3"}, "namespace": "shop"}
    assert filled["spec"] == {"replicas": 3, "note": "v2 x3"}


def test_images_are_replaced_by_name_wherever_containers_stand(
    applied: Callable[..., Loaded], repository: Path
) -> None:
    (repository / "k8s/i.yaml").write_text(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec:\n  jobTemplate:\n    spec:\n      template:\n"
        "        spec:\n          initContainers: [{name: init, image: 'registry:5000/a/b:1@sha256:00'}]\n"
        "          containers: [{name: main, image: other}, {name: side, image: keep:2}]\n"
    )

    loaded = applied("{files: [../k8s/i.yaml], images: {'registry:5000/a/b': b-new, main: m-new}}")

    pod = loaded.manifests["apply"][0]["object"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [each["image"] for each in pod["initContainers"] + pod["containers"]] == [
        "b-new",
        "m-new",
        "keep:2",
    ]
    assert refused(applied, "{files: [../k8s/i.yaml], images: {nobody: x}}") == ["RUN309"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("a", "a"),
        ("a:1", "a"),
        ("r.io/a/b:1", "r.io/a/b"),
        ("r.io:5000/a", "r.io:5000/a"),
        ("r.io:5000/a:1@sha256:0", "r.io:5000/a"),
    ],
)
def test_a_tag_is_no_port(image: str, name: str) -> None:
    assert without_tag(image) == name


def test_secrets_are_refused_and_never_shown(applied: Callable[..., Loaded], repository: Path) -> None:
    (repository / "k8s/s.yaml").write_text(
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: hunter2}}\n"
    )

    with pytest.raises(InvalidDocumentError) as caught:
        applied("{files: [../k8s/s.yaml]}")

    assert "hunter2" not in repr(caught.value.diagnostics)
    assert names(applied("{files: [../k8s/s.yaml]}", allow_secrets=True)) == ["s"]


def test_any_bytes_are_manifests_or_a_refusal() -> None:
    for raw in (b"\xff", b"a: b: c", b"[" * 100_000, b"1: 2", b"? {}\n: 3", b"a: .nan", b"- x\n---\n!!x y"):
        try:
            parse_manifests(raw, "m.yaml")
        except RunnerError as error:
            assert isinstance(error, InvalidDocumentError)
