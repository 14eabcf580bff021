"""Every flag has its variable PLAY_<FLAG>, named as people type the flag."""

import importlib
from pathlib import Path

import click
import pytest

from runner.cli.commands import COMMANDS
from runner.cli.entry import run
from runner.cli.root import root

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_of_every_command_has_the_variable_of_its_name(name):
    command = root.get_command(click.Context(root), name)

    assert command is importlib.import_module(f"runner.cli.{name}").command
    for option in command.params:
        if isinstance(option, click.Option):
            (flag,) = [flag for flag in option.opts if flag.startswith("--")]
            assert option.envvar == f"PLAY_{flag[2:].replace('-', '_').upper()}"


def test_variables_of_a_playbook_come_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("PLAY_VAR", "canry=v2")

    assert run(["validate", CANARY]) == 2

    assert "canry" in capsys.readouterr().err


def test_files_of_variables_come_from_the_environment(monkeypatch, capsys, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("soak: soon\n", encoding="utf-8")
    monkeypatch.setenv("PLAY_VARS_FILE", str(values))

    assert run(["validate", CANARY]) == 1

    assert "soon" in capsys.readouterr().out


def test_a_wrong_value_from_the_environment_is_told_with_its_variable(monkeypatch, capsys):
    monkeypatch.setenv("PLAY_OUTPUT", "jsonl")

    assert run(["runs"]) == 2

    said = capsys.readouterr().err
    assert "'jsonl' is not one of" in said
    assert "PLAY_OUTPUT" in said


@pytest.mark.parametrize(
    "words",
    [
        ["play", CANARY, "--sandbox", "--speed", "nan"],
        ["play", CANARY, "--sandbox", "--speed", "inf"],
        ["rehearse", CANARY, "--base", "nan"],
    ],
)
def test_a_number_that_is_none_is_wrong_usage(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(words) == 2
    assert "not a finite number" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
