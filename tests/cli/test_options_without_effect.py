"""An option that can do nothing where it was typed is wrong usage, and says why."""

from pathlib import Path

import pytest

from runner.cli.entry import run

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")
SCENARIOS = str(ROOT / "playbooks" / "scenarios")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of the sandbox that stopped half way, and a plan for the sandbox."""
    folder = tmp_path_factory.mktemp("options")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["play", CANARY, "--sandbox", "--until", "soak", "--state", "run.jsonl"]) == 0
        assert run(["plan", CANARY, "--sandbox", "--out", "a.plan"]) == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["play", CANARY, "--sandbox", "--context", "prod"], "--context has no effect: the sandbox reaches"),
        (["play", CANARY, "--sandbox", "--prometheus", "prod"], "--prometheus has no effect"),
        (["play", CANARY, "--speed", "30", "-y"], "--speed has no effect: it is for the sandbox"),
        (["play", CANARY, "--seed", "2", "-y"], "--seed has no effect: it is for the sandbox"),
        (["play", "--plan", "a.plan", "--from-here"], "--from-here is part of the plan already"),
        (["play", "--plan", "a.plan", "--kubeconfig", "f"], "--kubeconfig has no effect"),
        (["plan", CANARY, "--sandbox", "--context", "prod"], "--context has no effect"),
        (["resume", "run.jsonl", "--context", "prod"], "--context has no effect"),
        (["rollback", "run.jsonl", "--kubeconfig", "f"], "--kubeconfig has no effect"),
        (["rollback", "run.jsonl", "-n", "shop"], "--namespace has no effect: a run knows its own"),
        (
            ["rollback", "--route", "r", "-n", "shop", "--speed", "3"],
            "--speed has no effect: nothing is played",
        ),
        (["abort", "run.jsonl", "--prometheus", "prod"], "--prometheus has no effect"),
        (["init", "new", "--example", "bookinfo", "-n", "shop"], "--namespace has no effect: the example"),
        (
            ["init", "new", "--service", "shop", "--context", "prod"],
            "--context has no effect: no cluster is read",
        ),
        (["rbac", CANARY, "--state", "run.jsonl"], "--state run.jsonl takes no permission: it is a file"),
        (["validate", SCENARIOS, "--var", "soak=3m"], 'no playbook here declares the variable "soak"'),
        (["validate", SCENARIOS, "--traffic", "50/s"], "--traffic is for playbooks, and there is none here"),
        (["validate", CANARY, "--traffic", "orders=50/s"], "--traffic names no route: 'orders'"),
    ],
)
def test_an_option_without_effect_is_wrong_usage(folder, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))

    code = run(arguments)

    assert code == 2
    assert said in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_what_the_environment_says_is_meant_for_other_commands_too(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PLAY_CONTEXT", "prod")

    assert run(["plan", CANARY, "--sandbox"]) == 0


@pytest.mark.parametrize("command", ["resume", "rollback", "abort", "approve", "status", "audit", "unlock"])
def test_completion_knows_the_runs_of_a_folder(tmp_path, monkeypatch, command):
    from click.shell_completion import ShellComplete

    from runner.cli.root import root

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".runner/runs").mkdir(parents=True)
    for name in ("abc123", "abd456", "fff000"):
        (tmp_path / f".runner/runs/{name}.jsonl").touch()

    found = ShellComplete(root, {}, "runner", "_RUNNER_COMPLETE").get_completions([command], "ab")

    assert {item.value for item in found} == {"abc123", "abd456"}
