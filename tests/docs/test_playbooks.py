"""The playbooks that come with runner play as they say."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

CANARY = ROOT / "playbooks/bookinfo-canary.yaml"
THREE = ROOT / "playbooks/bookinfo-three-versions.yaml"
SAMPLES = ROOT / "tests/cases/istio-samples/playbook.yaml"


def played(folder: Path, *arguments: str | Path, code: int = 0) -> list[dict]:
    """The events of `runner play *arguments --sandbox`, which must end with *code*."""
    command = [sys.executable, "-m", "runner", "play", *map(str, arguments), "--sandbox", "-o", "jsonl"]
    environment = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PATH": ""}
    ran = subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == code, ran.stdout[-2000:] + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def splits(events: list[dict]) -> Iterator[dict[str, int]]:
    return (event["to"] for event in events if event["event"] == "split.changed")


def names(events: list[dict], event: str) -> list[str]:
    return [found["stage"] for found in events if found["event"] == event]


@pytest.mark.parametrize("canary", ["v3", "v2"])
def test_the_canary_takes_its_three_steps(canary: str, tmp_path: Path) -> None:
    events = played(tmp_path, CANARY, "--var", f"canary={canary}")

    assert list(splits(events)) == [
        {"v1": 100},
        {"v1": 80, canary: 20},
        {"v1": 50, canary: 50},
        {canary: 100},
    ]
    assert events[-1]["outcome"] == "succeeded"


def test_every_verify_of_the_canary_passed_both_checks_four_times(tmp_path: Path) -> None:
    events = played(tmp_path, CANARY)

    taken = [
        e for e in events if e["event"] == "measurement.taken" and e.get("stage", "").startswith("verify")
    ]
    for stage in ("verify at 20", "verify at 50", "verify at 100"):
        passed = [e["check"] for e in taken if e["stage"] == stage and e["verdict"] == "passed"]
        assert sorted(passed) == ["errors"] * 4 + ["served split"] * 4


def test_playing_the_canary_where_it_was_promoted_moves_nothing(tmp_path: Path) -> None:
    after = tmp_path / "after.yaml"
    after.write_text(
        "apiVersion: runner/v1\nkind: Scenario\nmetadata: {name: after}\ngiven: {split: {reviews: {v3: 100}}}\n"
    )

    events = played(tmp_path, CANARY, "--scenario", after)

    assert list(splits(events)) == []
    assert names(events, "stage.skipped") == ["shift 80/20", "shift 50/50", "shift 0/100", "promote"]
    assert events[-1]["outcome"] == "succeeded"


def test_three_versions_share_evenly_before_anything_routes_them(tmp_path: Path) -> None:
    events = played(tmp_path, THREE)

    passed = [e for e in events if e["event"] == "measurement.taken" and e["verdict"] == "passed"]
    assert len(passed) == 4
    assert list(splits(events)) == []


@pytest.mark.parametrize("api", ["v1", "v1beta1", "v1alpha3"])
def test_the_files_of_istios_sample_play_unchanged(api: str, tmp_path: Path) -> None:
    events = played(tmp_path, SAMPLES, "--var", f"api={api}")

    assert list(splits(events)) == [{"v1": 100}, {"v1": 80, "v2": 20}, {"v1": 50, "v3": 50}, {"v3": 100}]
    assert events[-1]["outcome"] == "succeeded"
