"""A little of the proof in every test run; `make prove` plays all of it."""

import pytest

from tests.prove import contenders, fuzz, gates, kills, records, sabotage


def test_histories_break_no_promise():
    for seed in range(120):
        gates.random_history(seed)


def test_a_crash_at_any_moment_breaks_no_promise():
    for number, point in enumerate(gates.crash_points()):
        if number % 13 == 0:
            gates.crash_at(*point, number)


def test_api_faults_end_in_words():
    for number, fault in enumerate(gates.api_matrix()):
        if number % 29 == 0:
            gates.api_fault(*fault)


def test_whatever_disturbs_a_turn_ends_as_promised():
    for number, disturbance in enumerate(gates.disturbances()):
        if number % 41 == 0:
            gates.disturbed(*disturbance)


def test_a_superseded_process_writes_no_more():
    for seed in range(40):
        gates.rivals(seed)


def test_runs_that_compete_stop_or_end():
    for seed in range(12):
        contenders.contended(seed)


def test_changed_records_are_refused():
    for number, change in enumerate(records.lines()):
        if number % 17 == 0:
            records.reordered(*change)


def test_cut_records_lead_to_no_second_effect():
    for number, cut in enumerate(records.truncations()):
        if number % 151 == 0:
            records.truncated(*cut)


def test_rubbish_is_answered_in_words():
    for seed in range(150):
        fuzz.fuzzed(seed)


def test_a_killed_process_is_resumed():
    for seed in range(6):
        kills.killed(seed)


@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_a_missing_safeguard_is_noticed(name):
    assert sabotage.caught(name, 400) is not None
