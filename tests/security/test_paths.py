"""What a playbook may name: files of its repository and nothing else, and no error tells what is in a file."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.document import read_playbook, read_scenario, validate
from runner.document.places import Repository
from runner.errors import Diagnostic, InvalidDocumentError, Severity
from runner.reports.diagnostics import render, render_text
from tests.security.people import as_nobody
from tests.security.trees import MANIFEST, SECRET, TEXTS, grow

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "paths.yaml").read_text(encoding="utf-8"))
MACHINES = ("json", "github", "sarif", "gitlab")
HEAD = (
    "apiVersion: runner/v1\nkind: Playbook\nmetadata: {name: p}\ntarget: {namespace: shop}\n"
    "stages: [{name: apply, apply: {files: [FILES]TEMPLATE}}]\n"
)


def playbook_in(root: Path, files: str, *, template: bool = False) -> Path:
    """The playbook that names *files*, which may hold what YAML has to escape."""
    named = json.dumps(files.replace("{repository}", str(root / "repository")).replace("{long}", "x" * 300))
    text = HEAD.replace("FILES", named).replace("TEMPLATE", ", template: true" if template else "")
    path = root / "repository/playbooks/p.yaml"
    path.write_text(text)
    return path


def told(found: tuple[Diagnostic, ...], file: str) -> str:
    """Everything that people and machines are shown, in every form."""
    return render_text(found) + "".join(render(form, found, (file,)) for form in MACHINES)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of our own: pytest's lies in one that every start of pytest closes to all other users."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(autouse=True, scope="module")
def imported() -> None:
    """Whatever explains mistakes is imported now: the user without rights may not come to Python's own folders."""
    validate(str(Path(__file__).parents[1] / "cases/bad/everything-at-once.yaml"))


def test_the_corpus_is_large_enough_and_says_each_thing_once() -> None:
    assert len(CASES) >= 60
    assert len({case["says"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_a_path_is_read_or_refused_and_nothing_of_it_is_told(case: dict[str, Any], tmp_path: Path) -> None:
    if case.get("root") and os.geteuid() != 0:
        pytest.skip("only root can make it")
    grow(tmp_path, {name: what for name, what in case.get("tree", {}).items() if what != "gone"})
    file = playbook_in(tmp_path, case["files"], template=case.get("template", False))
    if case.get("tree", {}).get("repository/playbooks/p.yaml") == "gone":
        file = file.rename(file.with_suffix(".txt"))

    with as_nobody():
        found = validate(str(file))

    errors = [each.code for each in found if each.severity is Severity.ERROR]
    if "finds" in case:
        assert errors == []
        objects = read_playbook(str(file)).manifests["apply"]
        assert [each["object"]["metadata"]["name"] for each in objects] == case["finds"]
    else:
        assert set(errors) == {case["code"]}, found
    assert SECRET not in told(found, str(file))
    assert SECRET.replace("-", "_") not in told(found, str(file))
    assert "\x1b" not in render_text(found)


def exchanged(root: Path, what: str) -> Any:
    """A repository in which *what* becomes a link to the outside right after its path was looked at."""

    class Exchanged(Repository):
        def confine(self, path: str, shown: str) -> str:
            real = super().confine(path, shown)
            (root / what).rename(root / "moved")
            (root / what).symlink_to(root / "outside")
            return real

    return Exchanged(str(root / "repository"), str(root / "repository/playbooks"))


@pytest.mark.parametrize("what", ["repository/k8s/a.yaml", "repository/k8s", "repository/deep/k8s"])
def test_what_is_exchanged_between_the_look_and_the_opening_is_not_followed(
    tmp_path: Path, what: str
) -> None:
    grow(tmp_path, {"repository/deep/k8s/a.yaml": "manifest", "outside/a.yaml": "secret"})
    file = "../deep/k8s/a.yaml" if "deep" in what else "../k8s/a.yaml"

    with pytest.raises(Exception, match=r"cannot be read: (too many levels|not a directory)"):
        exchanged(tmp_path, what).read(file)


NAMED = ("playbook", "scenario", "variables")


def use(kind: str, file: str, playbook: Path) -> None:
    match kind:
        case "playbook":
            read_playbook(file)
        case "scenario":
            read_scenario(file)
        case _:
            read_playbook(str(playbook), variable_files=[file])


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("text", sorted(TEXTS.keys() - {"manifest"}))
def test_a_document_that_is_a_link_out_of_its_repository_is_not_read(
    tmp_path: Path, kind: str, text: str
) -> None:
    """`runner validate playbooks/*.yaml` names what a pull request put there."""
    grow(
        tmp_path,
        {"outside/other.yaml": text, "repository/playbooks/q.yaml": {"link": "../../outside/other.yaml"}},
    )
    file = str(tmp_path / "repository/playbooks/q.yaml")

    with pytest.raises(InvalidDocumentError) as caught:
        use(kind, file, playbook_in(tmp_path, "../k8s"))

    assert [each.code for each in caught.value.diagnostics] == ["RUN303"]
    assert SECRET not in told(caught.value.diagnostics, file)


@pytest.mark.parametrize("kind", ["link inside", "folder of links", "root"])
def test_a_document_that_is_a_link_within_its_repository_is_read(tmp_path: Path, kind: str) -> None:
    """Kubernetes mounts ConfigMaps as links to a folder beside them; `--root` says what else belongs together."""
    grow(tmp_path, {"repository/playbooks/..data": "folder"})
    real = playbook_in(tmp_path, "../k8s")
    match kind:
        case "link inside":
            link = tmp_path / "repository/q.yaml"
            link.symlink_to("playbooks/p.yaml")
            file, root = link, None
            real.write_text(real.read_text().replace("../k8s", "k8s"))
        case "folder of links":
            real.rename(real.parent / "..data/p.yaml")
            real.symlink_to("..data/p.yaml")
            file, root = real, None
        case _:
            elsewhere = tmp_path / "outside/p.yaml"
            real.rename(elsewhere)
            real.symlink_to(elsewhere)
            file, root = real, str(tmp_path)

    assert len(read_playbook(str(file), root=root).manifests["apply"]) == 2


def test_a_folder_is_not_searched_through_links_that_lead_out(tmp_path: Path) -> None:
    grow(tmp_path, {"repository/out.yaml": {"link": "../outside/secret.yaml"}})
    (tmp_path / "outside/secret.yaml").write_text(f"apiVersion: runner/v1\nkind: {SECRET}\n")

    from runner.document.validation import validate_many

    found = validate_many([str(tmp_path / "repository")]).found

    assert [each.code for each in found] == ["RUN303"]
    assert SECRET not in told(found, "out.yaml")


def test_lines_of_a_manifest_are_shown_since_they_help(tmp_path: Path) -> None:
    grow(tmp_path, {})
    (tmp_path / "repository/k8s/a.yaml").write_text(MANIFEST + "spec: {type: one, type: two}\n")

    found = validate(str(playbook_in(tmp_path, "../k8s/a.yaml")))

    assert "spec: {type: one, type: two}" in render_text(found)
