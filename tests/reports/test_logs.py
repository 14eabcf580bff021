"""Logs: one JSON line an event, never a reason to stop, nothing in them that a terminal would obey."""

import json
import logging
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

from runner import logs
from runner.engine.events import EVENT_NAMES, Event
from runner.engine.observations import Interrupted, Trouble
from runner.journal.codec import Link, encode
from tests.reports.stories import story


def lines_of(name):
    link = Link("7f3a")
    for item in story(name):
        if isinstance(item, get_args(Event)):
            line, link = encode(item, link)
            yield item, line


def logged(name, **options):
    stream = StringIO()
    log = logs.EventLog(logs.open_log(stream, **options))
    for event, line in lines_of(name):
        log.heard(event, line)
    return stream.getvalue()


@pytest.fixture
def root_logger():
    """The root logger, as it was when the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_one_line_an_event_named_as_in_the_journal():
    told = [json.loads(line) for line in logged("rejected", level="debug").splitlines()]

    assert [body["event"] for body in told] == [EVENT_NAMES[type(event)] for event, _ in lines_of("rejected")]
    assert {body["run"] for body in told} == {"7f3a"}


def test_failures_stand_out():
    levels = {
        body["event"]: body["level"] for body in map(json.loads, logged("rollback-failed").splitlines())
    }

    assert levels["rollback.finished"] == "error"
    assert levels["stage.failed"] == "warning"
    assert levels["stage.succeeded"] == "info"
    assert "effect.done" not in levels


def test_bulk_stays_in_the_journal():
    assert "manifests" not in logged("promoted", level="debug")


def test_control_characters_never_reach_the_log():
    assert all(char == "\n" or " " <= char <= "~" for char in logged("hostile"))
    assert "\x1b" not in logged("hostile", console=True)


def test_not_a_number_is_null():
    stream = StringIO()

    logs.open_log(stream).info("x", value=float("nan"), more=[float("inf"), 1.5])

    body = json.loads(stream.getvalue())
    assert (body["value"], body["more"]) == (None, [None, 1.5])


@pytest.mark.parametrize("console", [False, True])
def test_tracebacks_show_no_locals(console):
    stream = StringIO()
    log = logs.open_log(stream, console=console)

    try:
        _break("hunter" + str(1 + 1))
    except ZeroDivisionError:
        log.exception("broke")

    assert "ZeroDivisionError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def _break(password):
    return len(password) / 0


def test_libraries_say_only_warnings(root_logger):
    stream = StringIO()

    logs.cap_libraries(stream)
    logging.getLogger("urllib3.connectionpool").debug("chatter")
    logging.getLogger("urllib3.connectionpool").warning("retrying %s", "\x1b[2J")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["retrying \x1b[2J"]
    assert "\x1b" not in stream.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_never_stops_a_run():
    with logs.open_file(Path("/dev/full")) as stream:
        log = logs.EventLog(logs.open_log(stream))
        for event, line in lines_of("promoted"):
            log.heard(event, line)


def test_file_is_appended_to(tmp_path):
    for _ in range(2):
        with logs.open_file(tmp_path / "log") as stream:
            logs.open_log(stream).info("here")

    assert len((tmp_path / "log").read_text(encoding="utf-8").splitlines()) == 2


def test_what_is_no_event_is_logged_where_people_would_ask():
    stream = StringIO()
    log = logs.EventLog(logs.open_log(stream))

    log.noticed(Trouble(1.0, "refused"))
    log.noticed(Interrupted("SIGINT", 130))

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "cluster.unreachable",
        "signal.received",
    ]
