"""`runner audit` on state files as `runner play` leaves them, and as somebody else leaves them afterwards."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.cli.entry import run
from runner.engine.events import MeasurementTaken
from runner.journal import read
from runner.journal.codec import Link, encode
from runner.model.checks import Verdict

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


@pytest.fixture(scope="module")
def rejected(tmp_path_factory):
    """The state file of a canary that was rejected."""
    path = tmp_path_factory.mktemp("state") / "run.jsonl"
    scenario = PLAYBOOKS / "scenarios" / "bad-canary.yaml"
    code = run(
        ["play", str(PLAYBOOKS / "bookinfo-canary.yaml"), "--scenario", str(scenario), "--state", str(path)]
    )
    assert code == 3
    return path


def written_again(path, events, run_id):
    """A state file of *events*, with sums and chain as they should be."""
    lines, link = [], Link(run_id)
    for event in events:
        line, link = encode(event, link)
        lines.append(line + "\n")
    path.write_text("".join(lines))
    return path


def test_an_honest_run_agrees(rejected, capsys):
    assert run(["audit", str(rejected)]) == 0
    assert "all agree" in capsys.readouterr().out


def test_a_forged_verdict_is_found_though_the_chain_is_whole(rejected, tmp_path, capsys):
    record = read(rejected)
    n = next(
        n
        for n, event in enumerate(record.events)
        if isinstance(event, MeasurementTaken) and event.verdict is Verdict.FAILED
    )
    forged = replace(record.events[n], verdict=Verdict.PASSED)
    path = written_again(
        tmp_path / "forged.jsonl", [*record.events[:n], forged, *record.events[n + 1 :]], record.run
    )

    assert run(["audit", str(path)]) == 1
    assert f"line {n + 1}: guard errors: recorded passed" in capsys.readouterr().out


def test_an_edited_file_is_damage(rejected, tmp_path, capsys):
    path = tmp_path / "edited.jsonl"
    path.write_text(rejected.read_text().replace('"verdict":"failed"', '"verdict":"passed"', 1))

    assert run(["audit", str(path)]) == 7
    assert "checksum" in capsys.readouterr().err
