"""What a stream can show is decided by the stream, and by NO_COLOR and TERM; nothing else."""

import os
import pty
from io import StringIO

import pytest

from runner.reports.terminal import Terminal, cells, terminal_of, wrapped


@pytest.fixture
def real():
    """A real terminal to write to."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream
    os.close(master)


def test_real_terminal_gets_a_live_screen_in_colour(real):
    found = terminal_of(real, {"TERM": "xterm"})

    assert (found.live, found.color, found.ascii) == (True, True, False)


@pytest.mark.parametrize("wish", ["FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_pipe_gets_neither_whatever_the_environment_wishes(wish):
    found = terminal_of(StringIO(), {"TERM": "xterm", wish: "1"})

    assert (found.live, found.color) == (False, False)


def test_no_color_leaves_the_screen_without_colour(real):
    found = terminal_of(real, {"TERM": "xterm", "NO_COLOR": "1"})

    assert (found.live, found.color) == (True, False)


def test_empty_no_color_means_nothing(real):
    assert terminal_of(real, {"TERM": "xterm", "NO_COLOR": ""}).color


def test_dumb_terminal_gets_lines(real):
    found = terminal_of(real, {"TERM": "dumb"})

    assert (found.live, found.color) == (False, False)


def test_locale_without_unicode_gets_ascii():
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="ascii") as stream:
        found = terminal_of(stream, {"TERM": "xterm"})
    os.close(master)

    assert found.ascii


def test_closed_stream_is_no_terminal():
    stream = StringIO()
    stream.close()

    assert not terminal_of(stream, {}).live


@pytest.mark.parametrize("columns", range(12))
@pytest.mark.parametrize("text", ["plain text", "日本語のステージ", "e\u0301te\u0301", ""])
def test_fit_fills_exactly_its_columns(text, columns):
    assert cells(Terminal().fit(text, columns)) == columns


def test_ascii_spells_what_it_cannot_show():
    assert Terminal(ascii=True).spell("✔ 80→20 · ≤ 1 % … 日") == r"+ 80->20 | <= 1 % ... \u65e5"


def test_a_number_and_its_percent_sign_stay_together():
    assert wrapped("served v1 49.7 %, v3 50.3 %", 14, 2) == ["served v1", "  49.7 %, v3", "  50.3 %"]
