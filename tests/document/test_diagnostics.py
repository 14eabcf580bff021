"""How diagnostics look: on a terminal, in a pipe, in a narrow window of a long line, and with foreign text in them."""

import pytest

from runner.errors import Diagnostic, Location, Severity
from runner.reports.diagnostics import render_text, summary
from runner.reports.escape import escape, escape_lines
from runner.reports.terminal import Terminal


def finding(source: str, column: int, end: int | None = None, **more: object) -> Diagnostic:
    severity = Severity(str(more.get("severity", "error")))
    place = Location("p.yaml", 7, column, end)
    return Diagnostic("RUN402", "weights must add up to 100", place, severity, "say less", source)


def test_a_diagnostic_is_place_message_code_source_caret_and_hint() -> None:
    assert render_text([finding("  weights: {v1: 80}", 12, 20)]) == (
        "p.yaml:7:12: weights must add up to 100 [RUN402]\n"
        "  |\n"
        "7 |   weights: {v1: 80}\n"
        "  |            ^~~~~~~~\n"
        "\n"
        "hint: say less\n"
        "\n"
    )


def test_a_warning_says_so_in_words() -> None:
    assert render_text([finding("x", 1, severity="warning")]).startswith("p.yaml:7:1: warning: weights")


def test_colour_is_never_the_only_sign() -> None:
    plain = render_text([finding("x: 1", 4)])
    coloured = render_text([finding("x: 1", 4)], Terminal(color=True))

    assert "\x1b[" in coloured
    assert "\x1b[" not in plain


@pytest.mark.parametrize(
    ("source", "column", "caret"),
    [
        ("a: é x", 6, 6),
        ("a: 日本 x", 7, 9),
        ("\ta: x", 5, 6),
        ("a: \x1b[2J x", 9, 12),
    ],
)
def test_the_caret_stands_under_what_it_means(source: str, column: int, caret: int) -> None:
    lines = render_text([finding(source, column)]).splitlines()

    assert lines[3] == "  | " + " " * (caret - 1) + "^"


def test_a_long_line_is_shown_around_the_caret() -> None:
    source = "a: " + "x" * 500 + " HERE " + "y" * 500

    lines = render_text([finding(source, 505, 509)]).splitlines()

    start = lines[3].index("^")
    assert lines[2][start : start + 4] == "HERE"
    assert lines[2].startswith("7 | …")
    assert lines[2].endswith("…")
    assert len(lines[2]) < 180


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\rb", "\x9b2J", "\u202eabc", "a\u2028b", "\ufeff", "\x7f", "\U000e0041", "\ud800"]
)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = escape(text)

    assert shown.isprintable()
    assert shown != text


def test_what_people_write_is_left_alone() -> None:
    assert escape("grün → 日本 ✔ \u00a0") == "grün → 日本 ✔ \u00a0"
    assert escape_lines("a\tb\nc\x1b") == "a  b\nc\\x1b"


def test_the_summary_counts() -> None:
    error, warning = finding("", 1), finding("", 1, severity="warning")

    assert summary([], 1) == "1 document, nothing wrong"
    assert summary([error, error, warning], 3) == "3 documents, 2 errors, 1 warning"
    assert summary([warning], 1) == "1 document, 1 warning"
