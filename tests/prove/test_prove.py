"""A little of the proof in every test run; `make prove` plays all of it."""

import json

import pytest

from tests.prove import (
    canaries,
    catalogue,
    contenders,
    edges,
    forgery,
    fuzz,
    gates,
    in_cluster,
    kills,
    lines,
    machine,
    outputs,
    records,
    soaks,
    starts,
    syscalls,
    verdicts,
)
from tests.prove.__main__ import fresh_seed


def one_in(share, items):
    """Every *share*-th of *items* with its number; a gate that has hardly any has lost them."""
    drawn = list(enumerate(items))[::share]
    assert len(drawn) > 2
    return drawn


@pytest.mark.parametrize(
    ("gate", "item"), [(gate, item) for gate in catalogue.GATES for item in catalogue.kept(gate.name)]
)
def test_what_once_broke_a_promise_is_played_for_ever(gate, item):
    gate.play(*item)


def test_every_kept_item_names_a_gate():
    names = {gate.name for gate in catalogue.GATES}

    assert {entry["gate"] for entry in json.loads(catalogue.KEPT.read_text())} <= names


def test_fresh_seeds_are_new_and_can_be_played_again():
    drawn = list(catalogue.seeds(catalogue.Draw(10, 500)))

    assert drawn == [(0,), (1,), *((seed,) for seed in range(500, 508))]
    assert fresh_seed("one commit") != fresh_seed("another")


def test_histories_break_no_promise():
    for seed in range(120):
        gates.random_history(seed)


def test_histories_with_their_state_in_the_cluster_break_no_promise():
    for seed in range(16):
        in_cluster.history(seed)


def test_a_crash_at_any_moment_breaks_no_promise():
    for number, point in one_in(13, gates.crash_points()):
        gates.crash_at(*point, number)


def test_api_faults_end_in_words():
    for _, fault in one_in(29, gates.api_matrix()):
        gates.api_fault(*fault)


def test_whatever_disturbs_a_turn_ends_as_promised():
    for _, disturbance in one_in(41, gates.disturbances()):
        gates.disturbed(*disturbance)


def test_what_cannot_be_judged_never_passes():
    for number, case in enumerate(verdicts.cases()):
        if number % 9 == 0:
            verdicts.answered(*case)


@pytest.mark.parametrize("case", list(edges.writes()))
def test_a_write_of_unknown_outcome_is_sent_once(case):
    edges.written(*case)


def test_weights_that_are_not_a_hundred_are_never_in_force():
    for seed in range(12):
        edges.weighed(seed)


def test_a_soak_of_a_day_is_never_shorter_than_a_day():
    soaks.soaked(0)


def test_rules_in_any_order_break_no_promise():
    machine.played(0, examples=15)


def test_a_superseded_process_writes_no_more():
    for seed in range(40):
        gates.rivals(seed)


def test_runs_that_compete_stop_or_end():
    for seed in range(12):
        contenders.contended(seed)


def test_changed_records_are_refused():
    for _, change in one_in(17, records.lines()):
        records.reordered(*change)


def test_cut_records_lead_to_no_second_effect():
    for _, cut in one_in(37, records.truncations()):
        records.truncated(*cut)


@pytest.mark.parametrize("document", [fuzz.playbook, fuzz.scenario, fuzz.config, fuzz.state, fuzz.word])
def test_rubbish_is_answered_in_words(document):
    for seed in range(60):
        document(seed)


def test_stories_that_were_never_played_are_answered_in_words():
    for seed in range(16):
        forgery.state(seed)


def test_a_killed_process_is_resumed():
    for seed in range(6):
        kills.killed(seed)


def test_a_process_killed_at_any_line_has_told_nothing_that_is_lost():
    for part in (0, lines.PARTS // 2):
        assert lines.killed("rollback", part)["kills"] > 30


@pytest.mark.parametrize(
    "name", ["all closed", "the terminal is taken away", "log on a full disk", "C, UTF-8 mode 0"]
)
def test_whatever_becomes_of_what_is_said_the_run_is_the_same(name):
    outputs.undisturbed(name, "text")


def test_of_processes_started_at_once_on_one_state_file_one_plays():
    for command in ("play", "resume"):
        for number in range(2):
            starts.at_once(command, number)


@pytest.mark.skipif(bool(syscalls.missing()), reason=syscalls.missing() or "it can be played")
@pytest.mark.parametrize(
    "case",
    [("play", "fdatasync", "EIO", 9), ("resume", "write", "ENOSPC", 5), ("rollback", "flock", "EIO", 4)],
)
def test_a_call_that_fails_on_the_state_file_is_told_and_gone_on_from(case):
    assert syscalls.faulted(*case)["faults met"]


def test_a_proof_that_counted_too_little_has_not_been_given():
    kills_gate = catalogue.gate_of("kills")

    assert kills_gate.too_few({"kills": 1_999}) == ["1,999 kills, at least 2,000 are wanted"]
    assert kills_gate.too_few({"kills": 2_000}) == []


CANARIES = (
    "403 with a password",
    "a token cut in the middle",
    "a token with a line break",
    "a plugin that fails and prints what it knows",
    "a Config with a token in it",
    "a Secret that is no YAML in the line of its password",
    "a crash of the program with details",
)


@pytest.mark.parametrize("name", CANARIES)
def test_no_planted_secret_gets_out(name):
    canaries.searched(name)
