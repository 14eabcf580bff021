"""What a run leaves behind in words, whenever it ends."""

from dataclasses import replace

import pytest

from runner.cli.recording import recorded_playbook
from runner.engine.events import EffectIntended
from runner.journal import read
from runner.reports.fold import opening, replay
from runner.reports.summary import last_words
from runner.reports.terminal import Terminal
from runner.reports.view import Failures
from tests.reports.stories import CASES
from tests.reports.telling import view_of
from tests.states.kept_runs import KEPT


def words(name, **changes):
    return last_words(replace(view_of(name), **changes), Terminal())


@pytest.mark.parametrize("name", ["interrupted", "paused", "resumed"])
def test_last_line_says_that_nobody_watches_a_canary_that_has_traffic(name):
    said = words(name)

    assert said[-1] == (
        "20 % of reviews is on v3 and nobody is watching it: `runner resume 7f3a` or `runner rollback 7f3a`"
    )
    assert any("kubectl -n bookinfo patch virtualservice reviews --type=json -p" in line for line in said)


@pytest.mark.parametrize("name", ["promoted", "rejected", "twice"])
def test_nobody_is_alarmed_where_the_canary_is_promoted_or_empty(name):
    assert not any("nobody is watching" in line for line in words(name))


def test_failed_rollback_names_live_weights_and_the_line_that_mends_them():
    said = words("rollback-failed")

    assert said[0].startswith("ROLLBACK FAILED")
    assert any("certain   reviews was at v1 80 / v3 20 when it was read back at" in line for line in said)
    assert "  wanted    reviews at v1 100" in said
    assert any("kubectl --context prod-eu -n bookinfo patch" in line for line in said)


def test_rejection_counts_the_requests_that_failed():
    said = words("rejected", failures=Failures(57, 1902))

    assert "  failed    57 of 1,902 requests, 3.0 %, while the canary had traffic" in said


def test_state_file_elsewhere_is_named_as_resume_wants_it():
    said = last_words(view_of("interrupted"), Terminal(), handle="'/tmp/my run.jsonl'")

    assert "`runner resume '/tmp/my run.jsonl'`" in said[-1]


@pytest.mark.parametrize("path", sorted(CASES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_story_has_last_words(path):
    assert words(path.stem)


def test_a_run_that_has_not_said_its_end_is_told_from_its_last_record():
    said = words("interrupted", stopped=None, ended=None)

    assert any(line.endswith("50s before its last record") for line in said)


def test_a_first_write_whose_end_is_not_recorded_may_have_given_the_canary_traffic():
    record = read(KEPT / "0.1.0" / "killed-behind-a-shift.jsonl")
    first = next(at for at, event in enumerate(record.events) if isinstance(event, EffectIntended))
    view = replay(opening(record.run, recorded_playbook(record), handle="r"), record.events[: first + 1])

    said = last_words(view, Terminal(), handle="r")

    assert said[-1] == (
        "20 % of reviews may be on v3 and nobody is watching it: `runner resume r` or `runner rollback r`"
    )
    assert "  certain   this run had moved no traffic before" in said
