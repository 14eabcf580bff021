"""Where runs stand, as text and as JSON that scripts can rely on."""

import json

import pytest

from runner.reports.fold import opening
from runner.reports.status import Shown, run_json, runs_table, status_json, status_lines
from runner.reports.terminal import Terminal
from tests.reports.stories import CASES, NOON
from tests.reports.telling import RUN, view_of

RUN_KEYS = {
    "v", "run", "handle", "playbook", "version", "target", "sandbox", "state", "outcome", "living", "stage",
    "splits", "exposed", "unwatched", "by",
}  # fmt: skip
MORE_KEYS = {
    "reason", "started", "at", "ended", "sessions", "stages", "safe", "served", "checks", "gate", "rollback",
}  # fmt: skip


def shown(name, *, until=float("inf"), living=False, handle=RUN):
    return Shown(view_of(name, until=until), living, handle)


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.jsonl")))
def test_keys_are_those_that_scripts_know(name):
    body = json.loads(json.dumps(status_json(shown(name)), allow_nan=False))

    assert set(body) == RUN_KEYS | MORE_KEYS
    assert set(run_json(shown(name))) == RUN_KEYS


def test_json_says_where_a_run_stands():
    body = status_json(shown("interrupted"))

    assert body["state"] == "interrupted"
    assert body["stage"] == {"name": "soak", "kind": "wait", "number": 5, "of": 12}
    assert body["exposed"] == [{"route": "reviews", "subset": "v3", "share": 20}]
    assert body["unwatched"] is True
    assert body["ended"] == "2026-11-22T12:01:32.000Z"


@pytest.mark.parametrize(
    ("name", "until", "living", "state"),
    [
        ("promoted", 100, True, "running"),
        ("promoted", 100, False, "interrupted"),
        ("promoted", 1e9, False, "succeeded"),
        ("rejected", 177, True, "rolling back"),
        ("rejected", 1e9, False, "rejected"),
        ("paused", 1e9, False, "paused"),
    ],
)
def test_state_is_one_word_and_a_run_that_nobody_plays_is_interrupted(name, until, living, state):
    assert shown(name, until=until, living=living).state == state


def test_table_has_a_row_a_run_and_names_what_nobody_watches():
    runs = [shown("interrupted"), shown("rollback-failed"), shown("promoted")]

    table = runs_table(runs, NOON + 600, Terminal())

    assert table == (CASES / "runs.table").read_text(encoding="utf-8").splitlines()


def test_no_runs_are_no_empty_table():
    said = runs_table([], NOON, Terminal())

    assert said[0] == "no runs here yet; `runner play FILE` begins one"
    assert "kubectl get configmaps" in said[1]


def test_text_is_the_picture_and_what_a_person_can_do():
    lines = status_lines(shown("interrupted"), NOON + 600, Terminal(), width=110)

    assert "0:01:32  ● interrupted" in lines[0]
    assert lines[-1].startswith("20 % of reviews is on v3 and nobody is watching it")


def test_living_run_is_shown_without_last_words():
    lines = status_lines(shown("promoted", until=100, living=True), NOON + 110, Terminal(), width=110)

    assert "running" in lines[0]
    assert not any("runner resume" in line for line in lines)


def test_run_of_an_unknown_playbook_is_shown_all_the_same():
    assert "interrupted" in status_lines(Shown(opening(RUN), False, RUN), NOON, Terminal(), width=80)[0]
