"""Variables: who may say what they are, and who is heard first."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.document import read_playbook, validate, validate_many
from runner.errors import InvalidDocumentError, UsageError

PLAYBOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: p}
vars:
  tag: {required: true, pattern: '[0-9]+\\.[0-9]+', example: "1.0", description: what to release}
  size: {default: small, enum: [small, large]}
  count: 3
  share: 0.5
  quick: false
  pause: {type: duration, default: 5m}
  label: "{{ tag }}-{{ size }}-{{ count }}"
target: {namespace: shop}
stages:
  - name: "{{ label }} {{ share }} {{ quick }}"
    wait: "{{ pause }}"
  - name: scale
    scale: {deployment: d, replicas: "{{ count }}"}
"""

REQUIRED = "required: true, pattern: '[0-9]+\\.[0-9]+', example: \"1.0\""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PLAYBOOK)
    return path


@pytest.fixture
def values(file: Path) -> Callable[..., dict[str, Any]]:
    def read(*files: str, **variables: str) -> dict[str, Any]:
        paths = []
        for number, text in enumerate(files):
            path = file.parent / f"vars-{number}.yaml"
            path.write_text(text)
            paths.append(str(path))
        return dict(read_playbook(file, variables=variables, variable_files=paths).variables)

    return read


def test_the_command_line_beats_files_and_files_beat_defaults(values: Callable[..., dict[str, Any]]) -> None:
    found = values("tag: '1.1'\ncount: 4\nsize: large\n", "count: 5\n", tag="1.2")

    assert (found["tag"], found["count"], found["size"], found["pause"]) == ("1.2", 5, "large", "5m")
    assert found["label"] == "1.2-large-5"


def test_a_value_has_the_type_of_its_variable(values: Callable[..., dict[str, Any]]) -> None:
    found = values(tag="1.10", count="7", share="1", quick="true", pause="30s")

    assert found["tag"] == "1.10"
    assert (found["count"], found["share"], found["quick"], found["pause"]) == (7, 1, True, "30s")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tag", "latest", "does not match the pattern"),
        ("tag", "1.0\n", "does not match the pattern"),
        ("size", "medium", 'not one of "large", "small"'),
        ("count", "many", "not a whole number"),
        ("count", "1.5", "not a whole number"),
        ("share", "half", "not a number"),
        ("quick", "yes", "not true or false"),
        ("pause", "5 minutes", "not a duration"),
        ("pause", "0s", "not a duration"),
        ("cuont", "3", "declares no variable"),
    ],
)
def test_a_wrong_value_on_the_command_line_is_wrong_usage(
    values: Callable[..., dict[str, Any]], name: str, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        values(**{"tag": "1.0", name: text})


def test_a_missing_required_variable_is_wrong_usage(values: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match='requires "tag"'):
        values()


def test_a_wrong_value_in_a_file_is_told_at_its_place(values: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        values("tag: 1.10\ncount: many\n")

    assert [(each.location.line, each.code) for each in caught.value.diagnostics] == [
        (1, "RUN206"),
        (2, "RUN206"),
    ]
    assert caught.value.diagnostics[0].hint == 'quote it: "1.10"'
    with pytest.raises(UsageError, match='declares no variable "tog"'):
        values("tog: x\n")
    with pytest.raises(UsageError, match="holds no variables"):
        values("- x\n")


def test_validate_takes_the_example_of_what_is_required(file: Path) -> None:
    assert validate(file) == ()
    assert [each.code for each in validate(file, variables={"pause": "1s"})] == []


def test_a_variable_reaches_the_playbooks_that_declare_it(file: Path) -> None:
    other = file.with_name("other.yaml")
    other.write_text(PLAYBOOK.replace("  quick: false\n", "").replace(" {{ quick }}", ""))

    found = validate_many([file.parent], variables={"quick": "true"})

    assert len(found.files) == 2
    with pytest.raises(UsageError, match='no playbook here declares the variable "quack"'):
        validate_many([file.parent], variables={"quack": "true"})


def test_recorded_values_are_taken_back_as_they_were(file: Path) -> None:
    first = read_playbook(file, variables={"tag": "1.1", "quick": "true"})

    again = read_playbook(file, variables={k: str(v) for k, v in first.variables.items()}, recorded=True)

    assert again.tree == first.tree
    assert again.variables == first.variables


def test_a_pattern_cannot_be_made_to_hang(file: Path) -> None:
    file.write_text(PLAYBOOK.replace(REQUIRED, f"required: true, pattern: '(a+)+b', example: {'a' * 5000}"))
    began = time.process_time()

    found = validate(file)

    assert [each.code for each in found if each.severity == "error"] == ["RUN206"]
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("wait", ["{{ tag }}", "{{ tag }}m", "{{ label }}"])
def test_what_hangs_on_an_unknown_value_is_not_checked(file: Path, wait: str) -> None:
    text = PLAYBOOK.replace(REQUIRED, "required: true").replace('"{{ pause }}"', f'"{wait}{{{{ pause }}}}"')
    file.write_text(text)

    assert [each.code for each in validate(file)] == ["RUN212"]
