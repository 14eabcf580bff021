"""Playbooks as people get them wrong, and exactly what they are told; and playbooks that are right."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner.cli.validate import command
from runner.document import read_playbook, rebuild

CASES = Path(__file__).resolve().parents[1] / "cases"
BAD = sorted((CASES / "bad").glob("*.yaml"))
GOOD = sorted((CASES / "good").glob("*.yaml"))

Golden = Callable[[Path, str], str]


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("case", BAD, ids=named)
def test_what_is_wrong_is_said_exactly(case: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)

    result = CliRunner().invoke(command, [case.name, "--root", "../../.."])

    actual = f"{result.stdout}{result.stderr}exit {result.exit_code}\n"
    assert actual == golden(case.with_suffix(".out"), actual)


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_what_is_right_has_no_error(case: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)

    result = CliRunner().invoke(command, [case.name])

    actual = f"{result.stdout}{result.stderr}exit {result.exit_code}\n"
    assert actual == golden(case.with_suffix(".out"), actual)
    assert result.exit_code == 0


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_what_a_state_file_records_builds_the_same_playbook(case: Path) -> None:
    loaded = read_playbook(case, examples=True, stables={"orders": "v1-20-0"})

    again = rebuild(loaded.tree, loaded.variables, loaded.manifests)

    assert again == loaded.playbook
