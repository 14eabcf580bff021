"""Orders to a run that another process plays, as two terminals give them."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.cli.entry import run
from runner.journal import read
from tests.cli.terminals import CANARY, GATED, ROOT


@contextmanager
def playing(folder, file, until, *options):
    """A process that plays *file* and has said *until*."""
    command = [sys.executable, "-m", "runner", "play", file, "--sandbox", "--speed", "30", *options]
    environ = {
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen(
        [*command, "--state", "run.jsonl"],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            for line in process.stdout:
                if until in line:
                    break
            yield process
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gated.yaml").write_text(GATED, encoding="utf-8")
    return tmp_path


def test_rollback_of_a_living_run_says_where_the_traffic_is_and_the_release_has_not_succeeded(folder, capsys):
    with playing(folder, CANARY, "soak") as process:
        assert run(["rollback", "run.jsonl"]) == 0
        process.stdout.read()

        assert process.wait(30) == 3

    assert "Users are back: reviews is at v1 100, read back at " in capsys.readouterr().out
    assert read(Path("run.jsonl")).events[-1].outcome == "rolled-back"


def test_abort_of_a_living_run_prints_the_lines_that_followed(folder, capsys):
    with playing(folder, CANARY, "soak") as process:
        assert run(["abort", "run.jsonl", "-o", "jsonl"]) == 3
        process.stdout.read()

        assert process.wait(30) == 3

    said = capsys.readouterr().out.splitlines()
    assert said == Path("run.jsonl").read_text(encoding="utf-8").splitlines()[-len(said) :]
    assert [json.loads(line)["event"] for line in said][-1] == "run.finished"
    assert '"rollback.started"' in "".join(said)


def test_a_gate_is_answered_from_elsewhere_with_who_and_why(folder, capsys):
    with playing(folder, "gated.yaml", "runner approve run.jsonl") as process:
        assert run(["approve", "run.jsonl", "--reason", "the board is green"]) == 0
        process.stdout.read()

        assert process.wait(30) == 0

    lines = map(json.loads, Path("run.jsonl").read_text(encoding="utf-8").splitlines())
    (answer,) = [line for line in lines if line["event"] == "gate.answered"]
    assert (answer["stage"], answer["answer"]) == ("ask", "approved")
    assert "@" in answer["by"]
    assert "the board is green" in json.dumps(answer)


def test_a_refused_gate_takes_the_traffic_back(folder):
    with playing(folder, "gated.yaml", "runner approve run.jsonl") as process:
        assert run(["approve", "run.jsonl", "--refuse"]) == 0
        process.stdout.read()

        assert process.wait(30) == 3

    assert read(Path("run.jsonl")).events[-1].splits["orders"].as_dict() == {"v1": 100}
