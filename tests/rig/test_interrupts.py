"""Stopped in every stage, by every signal that stops, and resumed: the same end, and no effect twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from rig import play, traffic
from rig.cluster import Bookinfo
from rig.play import Event, Play, named

STAGES = ("bring both versions", "twenty", "soak", "verify", "more pods", "all", "promote")
SPLITS = [{"v1": 80, "v3": 20}, {"v3": 100}]
CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.parametrize("how", CODES, ids=lambda it: it.name)
def test_run_stopped_in_every_stage_ends_as_one_that_was_not(
    how: signal.Signals, installed: Bookinfo, tmp_path: Path
) -> None:
    state = tmp_path / "run.jsonl"
    generation = installed.virtual_service()["metadata"]["generation"]
    with traffic.Load(installed.reviews_url, rps=60) as load:
        run = play.of(installed, tmp_path, "interrupted.yaml")
        run.wait_for(named("run.started"))
        for stage in STAGES:
            _stop_in(run, stage, how, state)
            run = play.start(installed, tmp_path, "resume", str(state))
        assert run.finish() == 0, run.said()
        assert traffic.failed(load.counts()) == 0
    assert installed.weights() == {"v3": 100}
    journal = [json.loads(line) for line in state.read_text().splitlines()]
    assert journal[-1]["outcome"] == "succeeded"
    assert [it["stage"] for it in journal if it["event"] == "stage.succeeded"] == list(STAGES)
    assert _splits(journal) == SPLITS
    # Annotations do not count as a generation: what resume writes to fence off the process before changes no split.
    assert installed.virtual_service()["metadata"]["generation"] == generation + len(SPLITS)


def test_ctrl_c_says_where_traffic_is_and_how_to_go_on(installed: Bookinfo, tmp_path: Path) -> None:
    with traffic.Load(installed.reviews_url, rps=20):
        run = play.of(installed, tmp_path, "interrupted.yaml")
        _stop_in(run, "soak", signal.SIGINT)
    assert installed.weights() == {"v1": 80, "v3": 20}
    said = run.said()
    assert "20 % of reviews is on v3" in said
    assert "runner resume" in said
    assert "runner rollback" in said
    assert "kubectl" in said


def test_rollback_of_a_killed_run_takes_its_lease_over(installed: Bookinfo, tmp_path: Path) -> None:
    with traffic.Load(installed.reviews_url, rps=20):
        run = play.of(installed, tmp_path, "interrupted.yaml")
        _stop_in(run, "soak", signal.SIGKILL)
        back = play.start(installed, tmp_path, "rollback", str(tmp_path / "run.jsonl"))
        assert back.finish(90) == 0, back.said()
    assert installed.weights() == {"v1": 100}


def _stop_in(run: Play, stage: str, how: signal.Signals, state: Path | None = None) -> None:
    """Stop the run as soon as it says that it is in this stage; it may have got further by then.

    A stage that an earlier process had begun already is not begun again: then the first word is enough.
    """
    begun = state is not None and state.exists() and f'"stage.started","stage":"{stage}"' in state.read_text()
    if begun:
        run.wait_for(lambda _: True, 60)
    else:
        run.wait_for(named("stage.started", stage=stage), 60)
    run.send(how)
    assert run.finish(30) == CODES[how], run.said()


def _splits(journal: list[Event]) -> list[dict[str, int]]:
    return [play.without_zeros(event["to"]) for event in journal if named("split.changed")(event)]
