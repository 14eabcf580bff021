"""The page before the question, and the durations that it promises."""

from dataclasses import replace

from runner.engine.timeline import Span, timeline, total
from runner.model.split import split_of
from runner.model.stages import Approve, Scale, Stage, Verify, Wait
from runner.reports.confirm import confirmation
from runner.reports.terminal import Terminal
from tests.reports.bookinfo import ERRORS, playbook
from tests.reports.stories import CASES

TARGET = {
    "sandbox": False,
    "context": "prod-eu",
    "server": "https://10.0.0.1:6443",
    "user": "ann",
    "namespace": "bookinfo",
    "prometheus": None,
}


def test_page_says_where_what_and_how_long():
    page = confirmation(playbook(), TARGET, {"reviews": split_of({"v1": 100})}, Terminal())

    assert page == (CASES / "confirm.page").read_text(encoding="utf-8").splitlines()


def test_route_that_does_not_exist_yet_is_said():
    page = confirmation(playbook(), TARGET, {"reviews": None}, Terminal())

    assert any("no weights yet: a stage has to apply the route" in line for line in page)


def test_names_cannot_write_to_the_terminal():
    book = replace(playbook(), name="\x1b]0;owned\x07")

    assert "\x1b" not in "".join(confirmation(book, TARGET, {}, Terminal()))


def test_waits_take_what_they_say_and_readiness_its_limit_at_worst():
    spans = {span.stage: span for span in timeline(playbook())}

    assert spans["soak"] == Span("soak", 120.0, 120.0)
    assert spans["apply bookinfo"] == Span("apply bookinfo", 0.0, 300.0)
    assert spans["shift 80/20"] == Span("shift 80/20", 0.0, 120.0)


def test_verify_waits_until_its_window_lies_after_the_shift():
    spans = {span.stage: span for span in timeline(playbook())}

    assert spans["verify at 20"].best == 45.0  # four, 15 s apart: the soak was longer than the window
    assert spans["verify at 100"].best == 60.0 + 45.0  # right after the shift: a window of 60 s first


def test_verify_takes_at_worst_its_patience_for_each_measurement():
    verify = Verify((ERRORS,), every=10.0, count=3, patience=60.0)

    (span,) = timeline(replace(playbook(), stages=(Stage("v", verify),)))

    assert span == Span("v", 20.0, 20.0 + 3 * 60.0)


def test_total_is_the_sum():
    stages = (Stage("w", Wait(30.0)), Stage("a", Approve("go on?", timeout=60.0)), Stage("s", Scale("d", 3)))

    assert total(timeline(replace(playbook(), stages=stages))) == Span("total", 30.0, 390.0)
