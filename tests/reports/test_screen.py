"""The live screen: what it shows, in which width, how often, and what it leaves behind."""

from dataclasses import dataclass, field
from io import StringIO

import pytest

from runner.engine.events import GateOpened
from runner.reports.fold import fold, opening
from runner.reports.frame import Moment, frame
from runner.reports.output import Output
from runner.reports.screen import PAUSE, Screen
from runner.reports.terminal import Terminal, cells
from tests.reports.bookinfo import playbook
from tests.reports.stories import CASES, NOON
from tests.reports.telling import RUN, narrated, tell, view_of

WIDE = Terminal(live=True)
PICTURES = [("promoted", 100), ("promoted", 195), ("rejected", 177.2), ("promoted", 460)]


def picture(name, until, *, width=110, height=40, terminal=WIDE, **moment):
    rows = frame(view_of(name, until=until), Moment(NOON + until, **moment), terminal, width, height)
    return "\n".join(row.text for row in rows) + "\n"


@dataclass
class Watch:
    """A clock that stands still until it is turned."""

    at: float = 0.0
    turns: float = 0.0

    def __call__(self):
        self.at += self.turns
        return self.at


@dataclass
class Drawn:
    """A screen and everything that it writes."""

    watch: Watch = field(default_factory=Watch)
    stream: StringIO = field(default_factory=StringIO)
    lines: StringIO = field(default_factory=StringIO)

    def screen(self):
        return Screen(
            opening(RUN, playbook()),
            Output(self.stream, Terminal(live=True, width=110)),
            lines=Output(self.lines, Terminal()),
            monotonic=self.watch,
        )


@pytest.mark.parametrize(("name", "until"), PICTURES)
def test_picture_of_a_run(name, until):
    expected = (CASES / f"{name}-{until}.screen").read_text(encoding="utf-8")

    assert picture(name, until) == expected


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
@pytest.mark.parametrize("height", [5, 14, 24, 60])
def test_picture_fits_its_terminal(width, height):
    rows = picture("promoted", 195, width=width, height=height).splitlines()

    assert len(rows) < height
    assert all(cells(row) < width for row in rows)


def test_running_stage_stays_in_sight_where_there_is_little_room():
    assert "soak at 50" in picture("promoted", 230, height=16)


def test_countdown_has_its_end_by_the_clock():
    assert "1m02s left of 2m · ends 12:02:42" in picture("promoted", 100)


def test_sandbox_is_named_in_the_header():
    assert "SANDBOX 30x" in picture("promoted", 100, speed=30.0).splitlines()[0]


def test_what_stands_in_the_way_is_shown():
    assert "not ready: Deployment/reviews-v3" in picture(
        "promoted", 20, notice="not ready: Deployment/reviews-v3"
    )


@pytest.mark.parametrize(("asks", "how"), [(True, "y or n, then Enter"), (False, "runner approve 7f3a")])
def test_open_gate_says_how_it_is_answered(asks, how):
    view = fold(
        view_of("promoted", until=100),
        GateOpened(NOON + 100, "soak", "May v3\x1b[2J have half?", NOON + 3700),
    )

    rows = frame(view, Moment(NOON + 101, asks=asks), WIDE, 110, 40)

    assert "waiting for approval" in rows[0].text
    assert rows[-1].text == rf" May v3\x1b[2J have half?  Approve? {how} · until 13:01:40"


def test_enter_pressed_on_the_screen_moves_the_cursor_back():
    drawn = Drawn(Watch(turns=1.0))
    screen = drawn.screen()
    screen.typed()
    tell(screen, "promoted", until=100)

    screen.typed()

    assert drawn.stream.getvalue().endswith("\x1b[1A")
    assert not drawn.stream.getvalue().startswith("\x1b[1A")


def test_what_is_said_in_between_stays_above_the_picture():
    drawn = Drawn(Watch(turns=1.0))
    screen = drawn.screen()
    tell(screen, "promoted", until=100)

    screen.say("SIGINT: stopping [bold]here[/bold]")
    screen.close()

    assert "SIGINT: stopping [bold]here[/bold]" in drawn.stream.getvalue()


def test_served_shares_of_the_moment_are_shown_where_the_place_knows_them():
    drawn = Drawn(Watch(turns=1.0))
    screen = Screen(
        opening(RUN, playbook()),
        Output(drawn.stream, Terminal(live=True, width=110)),
        served=lambda since, until: {"reviews": {"v1": 81.5, "v3": 18.5}},
        monotonic=drawn.watch,
    )

    tell(screen, "promoted", until=100)

    assert "18.5 %" in drawn.stream.getvalue()


def test_ascii_picture_is_ascii():
    assert picture("promoted", 195, terminal=Terminal(live=True, ascii=True)).isascii()


def test_screen_draws_four_times_a_second_at_most():
    drawn = Drawn(Watch(turns=0.01))
    screen = drawn.screen()

    tell(screen, "promoted")

    assert drawn.stream.getvalue().count("● running") <= 1 + drawn.watch.at / PAUSE


def test_screen_draws_nothing_when_nothing_changed():
    drawn = Drawn(Watch(turns=1.0))
    screen = drawn.screen()
    tell(screen, "promoted", until=100)
    screen.tick(NOON + 98.0)
    before = drawn.stream.getvalue()

    for _ in range(10):
        screen.tick(NOON + 98.0)

    assert drawn.stream.getvalue() == before


def test_closing_leaves_the_lines_that_ci_would_have_had():
    drawn = Drawn(Watch(turns=1.0))
    screen = drawn.screen()
    tell(screen, "rejected")

    screen.close()

    told = narrated("rejected").partition("\n\n")[0].splitlines()
    assert drawn.lines.getvalue().splitlines() == [line for line in told if "  …  " not in line]


def test_screen_without_colour_sends_no_colour():
    drawn = Drawn(Watch(turns=1.0))
    screen = drawn.screen()

    tell(screen, "rejected")

    assert "\x1b[3" not in drawn.stream.getvalue()
