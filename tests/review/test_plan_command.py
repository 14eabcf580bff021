"""`runner plan`, and `runner play --plan`."""

import json
import shutil
import stat

import pytest
from click.testing import CliRunner

from runner.cli.entry import run
from runner.cli.plan import command

from .places import ROOT


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the playbooks that ship."""
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


FILE = "playbooks/bookinfo-canary.yaml"


def test_the_same_plan_is_the_same_text(here):
    once, again = (CliRunner().invoke(command, [FILE, "--sandbox"]) for _ in range(2))

    assert once.exit_code == 0
    assert once.stdout == again.stdout
    assert sorted(path.name for path in here.iterdir()) == [".git", "playbooks"]


def test_json_is_all_that_stands_on_stdout(here):
    found = CliRunner().invoke(command, [FILE, "--sandbox", "-o", "json", "--traffic", "300/m"])

    document = json.loads(found.stdout)
    assert document["kind"] == "Plan"
    assert document["forecast"]["assumed"]["traffic"] == {"reviews": 5.0}


def test_a_plan_file_is_private_and_is_played_while_it_holds(here, capsys):
    assert run(["plan", FILE, "--sandbox", "--out", "a.plan", "--var", "soak=1m"]) == 0
    mode = stat.S_IMODE((here / "a.plan").stat().st_mode)
    assert mode == 0o600
    assert "Next: runner play --plan a.plan" in capsys.readouterr().out

    assert run(["play", "--plan", "a.plan"]) == 0


def test_what_to_type_next_plays_what_was_planned_and_where(here, capsys):
    said = ["--sandbox", "--seed", "7", "--var", "soak=1m", "--var", "canary=v2", "--root", "."]

    assert run(["plan", FILE, *said, "--traffic", "50/s", "--ascii"]) == 0

    *_, last = capsys.readouterr().out.splitlines()
    assert last == f"Next: runner play {FILE} {' '.join(said)}"


@pytest.mark.parametrize("file", [FILE, "playbooks/bookinfo/bookinfo.yaml"])
def test_a_plan_of_another_playbook_or_manifest_is_outdated(here, capsys, file):
    run(["plan", FILE, "--sandbox", "--out", "a.plan"])
    path = here / file
    path.write_text(path.read_text().replace("1.20.3", "1.20.4").replace("soak: 2m", "soak: 3m"))

    code = run(["play", "--plan", "a.plan"])

    assert code == 7
    assert "a.plan is outdated" in capsys.readouterr().err


def test_a_plan_of_another_world_is_outdated(here, capsys):
    (here / "given.yaml").write_text(GIVEN.replace("OF", "v1"))
    (here / "playbooks/small.yaml").write_text(SMALL)
    assert run(["plan", "playbooks/small.yaml", "--scenario", "given.yaml", "--out", "a.plan"]) == 0
    (here / "given.yaml").write_text(GIVEN.replace("OF", "v3"))

    code = run(["play", "--plan", "a.plan"])

    assert code == 7
    assert "VirtualService/reviews in namespace bookinfo was changed by" in capsys.readouterr().err
    assert not list(here.glob(".runner/runs/*"))


SMALL = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: small}
target: {namespace: bookinfo}
routes:
  reviews: {virtualService: reviews, stable: v1, canary: v3}
stages:
  - name: a fifth
    shift: {route: reviews, canary: 20}
  - name: back
    shift: {route: reviews, canary: 0}
"""
GIVEN = """\
apiVersion: runner/v1
kind: Scenario
metadata: {name: given}
given: {split: {reviews: {OF: 100}}}
"""


def test_a_plan_that_may_not_start_exits_with_the_run_s_own_code(here, capsys):
    (here / "playbooks/small.yaml").write_text(SMALL)
    (here / "given.yaml").write_text(GIVEN.replace("OF: 100", "v1: 60, v3: 40"))

    code = run(["plan", "playbooks/small.yaml", "--scenario", "given.yaml", "--out", "a.plan"])

    assert code == 7
    assert "Plan: the run would stop (exit 7)" in capsys.readouterr().out
    assert run(["play", "--plan", "a.plan"]) == 2
    assert run(["plan", "playbooks/small.yaml", "--scenario", "given.yaml", "--from-here"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["play"], "no playbook is named"),
        (["play", FILE, "--plan", "a.plan"], "FILE is part of the plan already"),
        (["play", "--plan", "a.plan", "--var", "soak=1m"], "--var is part of the plan already"),
        (["play", "--plan", "a.plan", "-n", "shop"], "--namespace is part of the plan already"),
        (["play", "--plan", "nowhere.plan"], "nowhere.plan cannot be read"),
        (["play", "--plan", FILE], "is no plan"),
        (["plan", FILE, "--sandbox", "--traffic", "lots"], "--traffic 'lots' is no rate"),
        (["plan", FILE, "--sandbox", "--traffic", "shop=1/s"], "--traffic names no route: 'shop'"),
    ],
)
def test_wrong_usage_is_said(here, capsys, arguments, said):
    run(["plan", FILE, "--sandbox", "--out", "a.plan"])

    code = run(arguments)

    assert code == 2
    assert said in capsys.readouterr().err


def test_a_plan_that_cannot_be_written_is_an_error(here, capsys):
    code = run(["plan", FILE, "--sandbox", "--out", "nowhere/a.plan"])

    assert code == 1
    assert "cannot be written to nowhere/a.plan" in capsys.readouterr().err
