"""An error is told in words: what, then what to try."""

from io import StringIO

from runner.errors import DisagreementError, RunnerError
from runner.reports.errors import error_lines, tell
from runner.reports.terminal import Terminal


def test_message_then_hint():
    error = RunnerError("the cluster is gone", hint="look for it")

    assert error_lines(error, Terminal()) == ["error: the cluster is gone", "hint: look for it"]


def test_further_lines_are_set_in():
    error = DisagreementError("it was changed\n  recorded  v1 80\n  live      v1 50")

    assert error_lines(error, Terminal()) == [
        "error: it was changed",
        "  recorded  v1 80",
        "  live      v1 50",
    ]


def test_foreign_text_is_spelled_out():
    stream = StringIO()

    tell(RunnerError("server said \x1b[2J", hint="\u202e"), stream)

    assert stream.getvalue() == "error: server said \\x1b[2J\nhint: \\u202e\n"


def test_stream_that_is_gone_is_no_second_error():
    stream = StringIO()
    stream.close()

    tell(RunnerError("x"), stream)


def test_lines_to_paste_keep_their_places_among_themselves():
    stream = StringIO()

    tell(RunnerError("no such source", hint="add:\nprometheus:\n  prod: {url: https://p}"), stream)

    assert stream.getvalue().endswith("hint: add:\n  prometheus:\n    prod: {url: https://p}\n")
