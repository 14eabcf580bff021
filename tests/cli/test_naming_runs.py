"""How a run is named in what a person is told to type: by its id where that is enough, else by its state file."""

from pathlib import Path

import pytest

from runner.cli.entry import run

ROOT = Path(__file__).parents[2]
THREE = str(ROOT / "playbooks" / "bookinfo-three-versions.yaml")
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run that stopped half way and a finished one, in files of their own names."""
    folder = tmp_path_factory.mktemp("named")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["play", CANARY, "--sandbox", "--until", "soak", "--state", "half way.jsonl"]) == 0
        assert run(["play", CANARY, "--sandbox", "--state", "all.jsonl"]) == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["play", CANARY, "--sandbox", "--state", "half way.jsonl"], 6, "runner resume 'half way.jsonl'"),
        (["play", CANARY, "--sandbox", "--state", "all.jsonl"], 2, "choose another"),
        (["play", THREE, "--sandbox", "--state", "half way.jsonl"], 7, "choose another state"),
        (["play", THREE, "--sandbox", "--state", "all.jsonl"], 7, "choose another state"),
        (["approve", "half way.jsonl"], 2, "runner status 'half way.jsonl'"),
        (["abort", "all.jsonl"], 2, "runner rollback all.jsonl"),
        (["abort"], 2, "say which: `runner abort RUN`"),
        (["rollback"], 2, "say which: `runner rollback RUN`"),
    ],
)
def test_hints_can_be_typed_as_they_stand(folder, monkeypatch, capsys, arguments, code, hint):
    monkeypatch.chdir(folder)

    assert run(arguments) == code

    assert hint in capsys.readouterr().err


def test_whoever_may_not_play_there_is_told_that_nobody_watches(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    run(["play", CANARY, "--sandbox", "--state", "half way.jsonl"])

    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith(
        "20 % of reviews is on v3 and nobody is watching it: `runner resume 'half way.jsonl'`"
    )
