"""A rehearsal finds out every gate that cannot say no, and says the same thing every time."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from runner.bootstrap import rehearsing
from runner.document import read_playbook, read_scenario
from runner.model.checks import Verdict
from runner.model.playbook import Guard, OnFailure
from runner.model.scenario import (
    Errors,
    Expectation,
    Given,
    Load,
    MetricsFault,
    MetricsTrouble,
    Scenario,
    When,
)
from runner.model.split import split_of
from runner.model.stages import OnInconclusive
from runner.rehearsal import as_document, rehearse, render_json, render_markdown, render_text
from runner.rehearsal.cells import Said
from runner.rehearsal.expectations import unmet
from runner.rehearsal.gates import alone, gates_of
from runner.rehearsal.playing import play

from .places import errors, open_place, playbook, query, served

ROOT = Path(__file__).parents[2]
RENDERERS = (render_text, render_markdown, render_json)
SCENARIOS = sorted((ROOT / "playbooks" / "scenarios").glob("*.yaml"))
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
SCHEMA = json.loads((ROOT / "schemas" / "rehearsal.v1.schema.json").read_text())


@cache
def bookinfo(*scenarios):
    loaded = read_playbook(str(ROOT / "playbooks" / "bookinfo-canary.yaml"))
    read = [read_scenario(str(ROOT / "playbooks" / "scenarios" / f"{name}.yaml")) for name in scenarios]
    return rehearse(loaded.playbook, read, rehearsing(1))


def gate(rehearsal, check, stage=""):
    return next(r for r in rehearsal.gates if (r.gate.check.name, r.gate.stage) == (check, stage))


def test_every_gate_of_the_bookinfo_canary_passes_in_health_and_can_say_no():
    found = bookinfo("bad-canary")

    assert found.problems == ()
    assert len(found.gates) == 7
    assert {report.health.said for report in found.gates} == {Said.PASSED}
    assert gate(found, "errors", "verify at 20").cells["errors"].said is Said.FAILED
    assert gate(found, "served split", "verify at 100").cells["wrong version"].said is Said.FAILED


def test_every_rollback_of_a_rehearsal_ends_at_the_safe_split():
    rejected = [
        report.played for report in bookinfo("bad-canary").plays if report.played.ending == "rejected"
    ]

    assert len(rejected) >= 6
    assert all(played.splits == {"reviews": split_of({"v1": 100})} for played in rejected)
    assert all(played.code == 3 for played in rejected)


def test_what_no_gate_looks_at_is_a_warning_and_no_failure():
    assert any(
        "ten seconds late" in text for report in bookinfo("bad-canary").plays for text in report.warnings
    )


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_gate_that_cannot_judge_the_canary_is_found_out_with_the_reason(path):
    reason = path.read_text().splitlines()[0].removeprefix("# found: ")
    loaded = read_playbook(str(path))

    found = rehearse(loaded.playbook, [], rehearsing(1))

    assert any(reason in problem for report in found.gates for problem in report.problems), found.problems


def test_corpus_has_enough_ways_not_to_look():
    assert len(CORPUS) >= 10


def test_the_same_playbook_gives_the_same_bytes():
    book = playbook(errors())
    once, again = rehearse(book, [], rehearsing(1)), rehearse(book, [], rehearsing(1))

    assert [render(once) for render in RENDERERS] == [render(again) for render in RENDERERS]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_expectations_of_the_shipped_scenarios_hold(path):
    book = read_playbook(str(ROOT / "playbooks" / "bookinfo-canary.yaml")).playbook

    played = play(book, read_scenario(str(path)), rehearsing(1))

    assert (unmet(played), played.broken) == ((), ())


def test_a_scenario_is_one_of_the_plays():
    report = bookinfo("bad-canary").plays[1]

    assert (report.title, report.problems) == ("scenario bad-canary", ())
    assert report.played.fired_by == ("errors",)


BAD = When(Errors(0.3), stage="shift 80/20", after=30, route="reviews", subset="canary")
EXPECTATIONS = [
    (
        Expectation(
            outcome="rejected",
            exit_code=3,
            splits=(("reviews", split_of({"v1": 100})),),
            fired_by=("alarm",),
            within=90,
        ),
        None,
    ),
    (Expectation(outcome="succeeded"), "outcome: expected succeeded, it was rejected"),
    (Expectation(exit_code=0), "exit code: expected 0, it was 3"),
    (
        Expectation(splits=(("reviews", split_of({"v3": 100})),)),
        "split of reviews: expected v3 100, it was v1 100",
    ),
    (Expectation(fired_by=("errors",)), "fired by: expected errors, it was alarm"),
    (Expectation(within=20), "within 20 s of the first fault: reviews took"),
]


@pytest.mark.parametrize(("expect", "problem"), EXPECTATIONS)
def test_expectations_are_held(expect, problem):
    said = unmet(play(playbook(), Scenario("bad", "", Given(), (BAD,), expect), open_place))

    assert said == () if problem is None else problem in said[0]


def test_the_given_world_of_the_first_scenario_is_the_world_of_all_plays():
    quiet = Scenario("quiet", "", Given(traffic=(("reviews", Load(0.2)),)))

    found = rehearse(playbook(errors(), guards=[]), [quiet], open_place)

    assert "at least 30 needed" in gate(found, "errors", "verify at 20").problems[0]
    assert found.forecast.assumed.traffic == {"reviews": 0.2}
    assert not found.forecast.gates[0].enough


def test_a_gate_that_lets_a_blind_release_through_is_found():
    book = playbook(errors(), guards=[])

    found = rehearse(replace(book, stages=tuple(_patient(stage) for stage in book.stages)), [], open_place)

    report = gate(found, "errors", "verify at 20")
    assert report.cells["no Prometheus"].said is Said.NO_EVIDENCE
    assert not any("no Prometheus" in problem for problem in report.problems)


def _patient(stage):
    kind = stage.kind
    if hasattr(kind, "on_inconclusive"):
        return replace(stage, kind=replace(kind, on_inconclusive=OnInconclusive.PAUSE))
    return stage


def test_what_passes_without_data_because_it_is_told_to_is_a_warning():
    found = rehearse(playbook(errors(no_data=Verdict.PASSED), guards=[]), [], open_place)

    report = gate(found, "errors", "verify at 20")
    assert report.problems == ()
    assert any("`noData: pass`" in text for text in report.warnings)


def test_a_playbook_that_holds_instead_of_going_back_is_rehearsed_too():
    found = rehearse(playbook(errors(), on_failure=OnFailure.HOLD), [], open_place)

    assert found.problems == ()
    assert {report.played.ending for report in found.plays if report.title == "errors"} == {"paused"}


def test_a_guard_that_reads_a_constant_is_found():
    zero = query("vector(0)", "zero", highest=0.5)

    found = rehearse(playbook(errors(), guards=[Guard(zero, "reviews")]), [], open_place)

    assert "reads a constant" in gate(found, "zero").problems[0]


def test_a_gate_is_played_alone_with_everything_that_was_applied_and_moved_before_it():
    book = playbook()
    last = gates_of(book)[-1]

    short = alone(book, last)

    assert [stage.name for stage in short.playbook.stages] == ["shift 80/20", "shift 50/50", "verify at 50"]
    assert short.playbook.guards == ()
    assert (short.bad_from, short.until) == ("verify at 50", "verify at 50")


def test_json_is_what_its_schema_says():
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(render_json(bookinfo("bad-canary"))))
    broken = rehearse(playbook(query("vector(0)", "zero", highest=1), guards=[]), [], open_place)
    jsonschema.Draft7Validator(SCHEMA).validate(as_document(broken))
    assert not as_document(broken)["passed"]


def test_markdown_shows_gates_and_faults_the_weights_and_the_forecast():
    text = render_markdown(bookinfo("bad-canary"))

    assert text.startswith("### ✅ Rehearsal: bookinfo-canary 1.0.0: every gate")
    assert "| gate | healthy | errors | slow |" in text
    assert "| reviews v1 80 / v3 20 |" in text
    assert "Requests that fail if the canary fails them all" in text


HOSTILE = "x](javascript:1) | <img src=x> @everyone `a` https://evil.example \x1b[31m"


def test_markdown_of_a_hostile_playbook_is_only_text():
    book = playbook(replace(errors(), name=HOSTILE), guards=[], name=HOSTILE)

    text = render_markdown(rehearse(book, [], open_place))

    assert "\x1b" not in text
    assert "<img" not in text.replace("\\<img", "")
    assert "https://evil" not in text
    assert len(_tables(text)) > 1
    assert all(line.count(" | ") == lines[0].count(" | ") for lines in _tables(text) for line in lines)


def _tables(text):
    tables, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("| "):
            current.append(line.replace("\\|", ""))
        elif current:
            tables.append(current)
            current = []
    return tables


def test_a_terminal_is_not_told_what_to_do_by_a_name():
    book = playbook(replace(errors(), name=HOSTILE), guards=[])

    assert "\x1b" not in render_text(rehearse(book, [], open_place))


def test_no_evidence_is_reported_with_the_check_that_had_none():
    down = When(MetricsFault(MetricsTrouble.DOWN), stage="soak")
    played = play(playbook(errors(), served()), Scenario("down", "", Given(), (down,)), open_place)

    assert played.fired_by == ("alarm",)


def test_a_check_that_no_route_was_moved_for_must_say_no_as_well():
    book = read_playbook(str(ROOT / "playbooks" / "bookinfo-three-versions.yaml")).playbook

    found = rehearse(book, [], rehearsing(1))

    assert found.problems == ()
    [report] = found.gates
    assert report.cells["no pods"].said is Said.FAILED
    assert "Requests that fail" not in render_text(found)


def test_a_comparison_the_right_way_round_can_say_no(tmp_path):
    text = (CORPUS[0].parent / "comparison-the-wrong-way-round.yaml").read_text()
    path = tmp_path / "right.yaml"
    path.write_text(text.replace('"v1"', '"@"').replace('"v3"', '"v1"').replace('"@"', '"v3"'))

    found = rehearse(read_playbook(str(path)).playbook, [], rehearsing(1))

    assert found.problems == ()
