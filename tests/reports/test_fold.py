"""The view: a total fold, the same for every report."""

from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    Event,
    GateAnswered,
    GateOpened,
    MeasurementTaken,
    Outcome,
    Ref,
    RollbackFinished,
    RollbackStarted,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageFailed,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.model.checks import Verdict
from runner.model.split import canary_split, split_of
from runner.reports.fold import fold, opening, replay
from runner.reports.frame import Moment, frame
from runner.reports.lines import layout, line_of
from runner.reports.status import Shown, runs_table, status_json, status_lines
from runner.reports.summary import last_words
from runner.reports.terminal import Terminal
from runner.reports.view import StageStatus, Standing
from tests.reports.bookinfo import playbook
from tests.reports.stories import CASES
from tests.reports.telling import RUN, view_of

NAMES = ["apply bookinfo", "shift 80/20", "soak", "verify at 20", "promote", "never heard of", "\x1b[2J"]
times = st.floats(min_value=0, max_value=4e9)
names = st.sampled_from(NAMES)
words = st.text(max_size=20)
splits = st.one_of(
    st.integers(0, 100).map(lambda share: canary_split("v1", "v3", share)), st.just(split_of({"v9": 100}))
)
routes = st.sampled_from(["reviews", "ratings"])
refs = st.builds(
    Ref,
    names,
    st.integers(1, 3),
    st.sampled_from(["VirtualService", "Deployment"]),
    words,
    words,
    st.integers(1, 9),
)
values = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
plain = st.dictionaries(
    st.sampled_from(["facts", "split", "left", "replicas", "http"]),
    st.one_of(st.none(), st.integers(), words),
)
checks = st.sampled_from(["errors", "served split", "unknown"])
events = st.one_of(
    st.builds(RunStarted, times, plain.map(lambda x: {"metadata": x}), plain, plain, plain, words),
    st.builds(RunResumed, times, words),
    st.builds(RunPaused, times, words, st.sampled_from([0, 5])),
    st.builds(RunInterrupted, times, words, st.just(130)),
    st.builds(RunFinished, times, st.sampled_from(Outcome), st.dictionaries(routes, splits), words),
    st.builds(StageStarted, times, names, st.integers(1, 3)),
    st.builds(StageSucceeded, times, names),
    st.builds(StageFailed, times, names, words),
    st.builds(StageSkipped, times, names, words, st.one_of(st.none(), routes)),
    st.builds(EffectIntended, times, refs, plain),
    st.builds(EffectDone, times, refs, plain),
    st.builds(SplitChanged, times, routes, st.one_of(st.none(), splits), splits, names),
    st.builds(
        MeasurementTaken, times, checks, values, st.sampled_from(Verdict), words, names, st.none(), plain
    ),
    st.builds(
        MeasurementTaken, times, checks, values, st.sampled_from(Verdict), words, st.none(), checks, plain
    ),
    st.builds(RollbackStarted, times, words, st.sampled_from(Outcome), st.dictionaries(routes, splits)),
    st.builds(RollbackFinished, times, st.booleans(), words),
    st.builds(GateOpened, times, names, words, times),
    st.builds(GateAnswered, times, names, words, words, words),
)


def test_strategy_knows_every_event():
    assert len(get_args(Event)) == 17


@settings(deadline=None)  # the first example pays for the imports
@example(
    [RunFinished(60.0, Outcome.SUCCEEDED, {"reviews": split_of({"v3": 100})}, ""), RunResumed(90.0, "")], True
)
@example(
    [RunFinished(60.0, Outcome.SUCCEEDED, {"reviews": split_of({"v3": 100})}, ""), RunPaused(90.0, "", 5)],
    True,
)
@given(st.lists(events, max_size=25), st.booleans())
def test_every_report_has_words_for_any_history(history, known):
    view = opening(RUN, playbook() if known else None)
    for event in history:
        before, view = view, fold(view, event)
        line = line_of(before, view, event, Terminal())
        if line is not None:
            assert "\x1b" not in layout(view, Terminal()).shown(view, line)

    shown = Shown(view, living=False, handle=RUN)

    rows = frame(view, Moment(view.at), Terminal(), 100, 30)
    said = [*last_words(view, Terminal()), *status_lines(shown, view.at, Terminal(), width=100)]
    assert not any("\x1b" in row.text for row in rows)
    assert not any("\x1b" in line for line in (*said, *runs_table([shown], view.at, Terminal())))
    assert status_json(shown)["run"] == RUN


@pytest.mark.parametrize("name", [path.stem for path in CASES.glob("*.jsonl")])
def test_view_without_a_playbook_names_the_stages_that_it_heard_of(name):
    known = view_of(name)

    from tests.reports.stories import story

    blank = replay(opening(RUN), (item for item in story(name) if isinstance(item, get_args(Event))))

    assert blank.name == "bookinfo-canary"
    assert {stage.name for stage in blank.stages} <= {stage.name for stage in known.stages}
    assert blank.splits == known.splits


def test_safe_split_is_the_newest_in_which_the_canary_had_nothing():
    assert view_of("promoted", until=300).safe == {"reviews": split_of({"v1": 100})}


def test_promoted_route_is_exposed_no_more():
    assert [e.share for e in view_of("promoted", until=300).exposed] == [50]
    assert view_of("promoted").exposed == ()


def test_unwatched_soak_starts_again_when_the_run_is_resumed():
    view = view_of("resumed", until=700)

    assert view.due("soak") == view.at + 120.0


def test_readings_from_before_a_gap_count_no_more():
    before, after = view_of("interrupted"), view_of("resumed", until=700)

    assert before.measures[("", "errors")].conclusive == 4
    assert after.measures[("", "errors")].conclusive == 1


def test_failed_stage_and_what_follows_it():
    view = view_of("rejected")

    statuses = {stage.name: stage.status for stage in view.stages}

    assert statuses["verify at 20"] is StageStatus.FAILED
    assert statuses["shift 50/50"] is StageStatus.PENDING
    assert view.standing is Outcome.REJECTED


def test_rollback_under_way_is_what_the_run_does():
    assert view_of("rejected", until=177).standing is Standing.ROLLING_BACK


def test_served_shares_belong_to_the_split_that_they_were_seen_at():
    assert view_of("promoted", until=195).served["reviews"] == {"v1": 79.0, "v3": 21.0}
    assert view_of("promoted", until=215).served == {}
