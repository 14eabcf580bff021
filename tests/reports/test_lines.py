"""The form for logs and CI, story by story, exactly as printed."""

import pytest

from runner.reports.terminal import Terminal
from tests.reports.stories import CASES
from tests.reports.telling import narrated

STORIES = sorted(path.stem for path in CASES.glob("*.jsonl"))


@pytest.mark.parametrize("name", STORIES)
def test_story_is_told_line_by_line(name):
    expected = (CASES / f"{name}.txt").read_text(encoding="utf-8")

    told = narrated(name)

    assert told == expected


@pytest.mark.parametrize("name", STORIES)
def test_ascii_needs_no_other_character(name):
    told = narrated(name, Terminal(ascii=True))

    assert told.isascii()


@pytest.mark.parametrize("name", STORIES)
def test_lines_without_colour_move_no_cursor(name):
    assert "\x1b" not in narrated(name)


def test_every_line_begins_with_its_time_and_keeps_its_columns():
    lines = narrated("promoted").partition("\n\n")[0].splitlines()

    word = lines[0].index("started")
    text = lines[0].index("bookinfo-canary")

    assert all(line[2] == ":" and line[5] == ":" for line in lines)
    assert all(line[word - 1] == " " and line[word] != " " for line in lines)
    assert all(line[text - 1] == " " and line[text] != " " for line in lines)


def test_a_terminal_of_the_usual_width_has_room_for_what_is_said():
    lines = narrated("promoted", Terminal(live=True, width=80)).partition("\n\n")[0].splitlines()

    assert all(len(line) <= 80 for line in lines)
    assert any(line.endswith("split        reviews v1 100 (no weights before)") for line in lines)


def test_heartbeat_comes_after_half_a_minute_of_silence_and_says_what_is_left():
    lines = narrated("promoted").splitlines()

    beats = [line for line in lines if " … " in line and "soak" in line]

    assert len(beats) >= 6
    assert all("left · reviews at v1" in line and "guard errors passed" in line for line in beats)


def test_github_groups_the_lines_and_leaves_the_verdict_outside():
    told = narrated("rejected", Terminal(github=True)).splitlines()

    end = told.index("::endgroup::")

    assert told[0].startswith("::group::runner bookinfo-canary 1.0.0")
    assert told[end + 1] == (
        "::error title=bookinfo-canary rejected"
        "::errors: 57 of 190 requests failed, 30.0 %25, at most 1 %25 allowed"
    )
    assert any(line.startswith("Rejected: ") for line in told[end:])


def test_colour_only_where_the_terminal_has_it():
    assert "\x1b[1;31m" in narrated("rejected", Terminal(color=True))
