"""`status`, `runs` and `completion`, on runs that were really played in the sandbox."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.entry import run

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run that stopped after the first soak, and a damaged state file."""
    folder = tmp_path_factory.mktemp("played")
    subprocess.run(
        [sys.executable, "-m", "runner", "play", CANARY, "--sandbox", "--until", "soak"],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        timeout=120,
    )
    (folder / ".runner" / "runs" / "broken.jsonl").write_text("no state\n", encoding="utf-8")
    return folder


@pytest.fixture
def there(folder, monkeypatch):
    """That folder, as the current one."""
    monkeypatch.chdir(folder)
    (state,) = [path for path in folder.glob(".runner/runs/*.jsonl") if path.stem != "broken"]
    return state


def test_runs_lists_each_run_and_what_is_damaged(there, capsys):
    assert run(["runs"]) == 0

    said = capsys.readouterr().out
    assert (
        f"{there.stem}   bookinfo-canary   sandbox/bookinfo   5/12 soak   reviews v1 80 / v3 20   stopped"
        in said
    )
    assert f"{there.stem} holds 20 % of reviews on v3, and nobody is watching it." in said
    assert "damaged: .runner/runs/broken.jsonl:1:" in said


def test_runs_as_json(there, capsys):
    assert run(["runs", "-o", "json"]) == 0

    body = json.loads(capsys.readouterr().out)
    assert [known["run"] for known in body["runs"]] == [there.stem]
    assert body["damaged"][0]["path"] == ".runner/runs/broken.jsonl"


@pytest.mark.parametrize("named", ["id", "beginning", "path"])
def test_status_knows_a_run_by_id_beginning_and_path(there, capsys, named):
    name = {"id": there.stem, "beginning": there.stem[:4], "path": str(there)}[named]

    assert run(["status", name]) == 0

    said = capsys.readouterr().out
    assert "● stopped" in said
    assert "20 % of reviews is on v3 and nobody is watching it" in said


def test_status_as_json_is_one_object(there, capsys):
    assert run(["status", there.stem, "-o", "json"]) == 0

    body = json.loads(capsys.readouterr().out)
    assert (body["state"], body["unwatched"], body["splits"]) == (
        "stopped",
        True,
        {"reviews": {"v1": 80, "v3": 20}},
    )


def test_watching_a_run_that_nobody_plays_ends_at_once(there, capsys):
    assert run(["status", there.stem, "--watch"]) == 0

    assert capsys.readouterr().out.count("● stopped") == 1


def test_status_of_no_run_is_wrong_usage(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["status"]) == 2

    assert "there is no run" in capsys.readouterr().err


def test_runs_of_no_run_is_fine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["runs"]) == 0

    assert "no runs here yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shell", "mark"), [("zsh", "compdef"), ("fish", "complete --no-files --command runner")]
)
def test_completion_is_a_script_for_its_shell(shell, mark, capsys):
    assert run(["completion", shell]) == 0

    assert mark in capsys.readouterr().out


def test_completion_knows_commands_without_importing_them(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "runner"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={
            "PYTHONPATH": str(ROOT),
            "_RUNNER_COMPLETE": "zsh_complete",
            "COMP_WORDS": "runner st",
            "COMP_CWORD": "1",
        },
        timeout=60,
    )

    assert done.stdout.splitlines() == ["plain", "status", "Show where a run stands."]
