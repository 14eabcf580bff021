"""An audit needs the state file and nothing else, and finds every verdict that does not follow from it."""

import json
from dataclasses import replace

import pytest

from runner.audit import audit, render_json, render_text
from runner.engine.events import MeasurementTaken, StageSucceeded
from runner.journal.codec import Link, decode, encode
from runner.model.checks import Allow, Bounds, Check, Comparison, Query, Ratio, Verdict
from runner.model.playbook import Guard
from runner.model.split import canary_split
from runner.model.stages import Shift, Stage, Verify, Wait
from runner.stages.kinds import compile_playbook
from tests.fakes.release import Play, playbook

LATENCY = Check("latency", Query("latency", 60.0), Bounds(max=250))
ERRORS = Check("errors", Ratio(Query("bad", 60.0), Query("of", 60.0)), Bounds(max=0.01))
ARMS = Comparison(
    Ratio(Query("canary bad", 60.0), Query("canary of", 60.0)),
    Ratio(Query("stable bad", 60.0), Query("stable of", 60.0)),
    Allow.POINTS,
    0.0,
)
WORSE = Check("worse", ARMS, ARMS)
HEALTHY = {
    "latency": 100.0,
    "bad": 1.0,
    "of": 1000.0,
    "canary bad": 4.0,
    "canary of": 400.0,
    "stable bad": 16.0,
    "stable of": 1600.0,
}


def book():
    return playbook(
        guards=(Guard(replace(ERRORS, name="alarm"), "reviews", every=15.0, failure_limit=1),),
        stages=(
            Stage("shift", Shift("reviews", canary_split("v1", "v3", 20))),
            Stage("soak", Wait(60.0)),
            Stage("verify", Verify((LATENCY, ERRORS, WORSE), every=60.0, count=3)),
        ),
    )


def played(**answers):
    """A release as its state file tells it: written and read back."""
    play = Play(book(), answer=lambda text, _: answers.get(text, HEALTHY.get(text)))
    play.start()
    lines, link = [], Link("r1")
    for event in play.journal.events:
        line, link = encode(event, link)
        lines.append(line)
    events, link = [], None
    for line in lines:
        event, link = decode(line, link)
        events.append(event)
    return compile_playbook("r1", play.book), events


def changed(events, which, **values):
    """The events with the first measurement of *which* changed by hand."""
    n = next(n for n, e in enumerate(events) if isinstance(e, MeasurementTaken) and e.check == which)
    return [*events[:n], replace(events[n], **values), *events[n + 1 :]]


WORLDS = [
    {},
    {"bad": 500.0},
    {"latency": 900.0},
    {"latency": None},
    {"latency": "refused"},
    {"canary bad": 200.0},
    {"bad": 20.0},
    {"of": 10.0},
    {"latency": float("nan")},
]


@pytest.mark.parametrize("answers", WORLDS, ids=str)
def test_every_verdict_of_an_honest_run_is_derived_again(answers):
    program, events = played(**answers)

    found = audit(program, events)

    assert found.measurements == sum(isinstance(event, MeasurementTaken) for event in events) > 0
    assert found.disagreements == ()


def test_a_failed_verdict_turned_into_a_passed_one_is_found():
    program, events = played(latency=900.0)

    found = audit(program, changed(events, "latency", verdict=Verdict.PASSED))

    [wrong] = found.disagreements
    assert wrong.disagreements == (
        "recorded passed, the evidence says failed: 900, at most 250 allowed: failed",
    )


def test_a_changed_value_is_found():
    program, events = played()

    found = audit(program, changed(events, "latency", value=1.0))

    assert "recorded the value 1.0" in found.disagreements[0].disagreements[0]


def test_changed_evidence_is_found():
    program, events = played()
    taken = next(e for e in events if isinstance(e, MeasurementTaken) and e.check == "latency")
    answers = {
        "query": {
            "series": [{"labels": {}, "value": "900.0", "at": taken.at}],
            "warnings": [],
            "newest": None,
        }
    }

    found = audit(program, changed(events, "latency", evidence={**taken.evidence, "answers": answers}))

    assert "the evidence says failed" in found.disagreements[0].disagreements[0]


def test_another_query_than_the_playbook_asks_is_found():
    program, events = played()
    taken = next(e for e in events if isinstance(e, MeasurementTaken) and e.check == "latency")

    found = audit(
        program, changed(events, "latency", evidence={**taken.evidence, "queries": {"query": "vector(1)"}})
    )

    assert "'vector(1)'" in found.disagreements[0].disagreements[0]


def test_evidence_that_is_missing_is_found():
    program, events = played()

    found = audit(program, changed(events, "latency", evidence={}))

    assert "cannot be read" in found.disagreements[0].disagreements[0]


def test_a_measurement_of_nothing_that_the_playbook_asks_is_found():
    program, events = played()

    found = audit(program, changed(events, "latency", check="patience"))

    assert "asks no 'patience'" in found.disagreements[0].disagreements[0]


def test_a_measurement_that_was_left_out_is_found_at_the_stage_it_let_succeed():
    program, events = played()
    n = next(n for n, e in enumerate(events) if isinstance(e, MeasurementTaken) and e.check == "latency")

    found = audit(program, [*events[:n], *events[n + 1 :]])

    assert [type(audited.event) for audited in found.disagreements] == [StageSucceeded]


def test_a_comparison_is_added_up_again_over_its_looks():
    program, events = played()
    taken = [e for e in events if isinstance(e, MeasurementTaken) and e.check == "worse"]

    assert [e.evidence["facts"]["look"]["number"] for e in taken] == [1, 2, 3]
    assert taken[-1].evidence["facts"]["canary"] == [12.0, 1200.0]
    assert audit(program, events).disagreements == ()


def test_words_say_how_many_agree_and_which_lines_do_not():
    program, events = played()
    wrong = audit(program, changed(events, "latency", verdict=Verdict.FAILED))

    assert "all agree" in render_text(audit(program, events))
    assert "do not follow" in render_text(wrong)
    assert f"line {wrong.disagreements[0].line}: latency in 'verify'" in render_text(wrong)
    body = json.loads(render_json(wrong))
    assert not body["agrees"]
    assert [item["derived"] for item in body["audited"] if item["disagreements"]] == ["passed"]


def test_queries_that_are_none_are_found():
    program, events = played()
    taken = next(e for e in events if isinstance(e, MeasurementTaken) and e.check == "latency")

    found = audit(program, changed(events, "latency", evidence={**taken.evidence, "queries": True}))

    assert "cannot be read" in found.disagreements[0].disagreements[0]
