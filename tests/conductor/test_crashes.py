"""A run that dies anywhere, and is resumed, ends where an undisturbed one ends, with no effect twice."""

from contextlib import suppress

import pytest

from runner.engine.events import RunStarted
from tests.fakes.release import NS, Play
from tests.fakes.world import NOON


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills at the n-th moment of a run; moments lie before and after every write and every append."""

    def __init__(self, at: int) -> None:
        self.left = at

    def moment(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def _armed(play: Play, killer: Killer) -> None:
    append, replace = play.journal.append, play.cluster.replace

    def dying_append(events):
        killer.moment()
        lines = append(events)
        killer.moment()
        return lines

    def dying_replace(changed):
        killer.moment()
        written = replace(changed)
        killer.moment()
        return written

    play.journal.append, play.cluster.replace = dying_append, dying_replace


STORIES = {
    "healthy": (lambda *_: 0.0, {"v1": 0, "v3": 100}, 2, 0),
    "bad": (lambda _, at: 0.5 if at > NOON + 30 else 0.0, {"v1": 100, "v3": 0}, 2, 3),
}


@pytest.mark.parametrize("story", STORIES)
def test_killed_anywhere_it_ends_where_an_undisturbed_run_ends(story):
    answer, weights, writes, code = STORIES[story]
    kills = 0
    for at in range(1, 400):
        play = Play(answer=answer)
        play.conductor().record(RunStarted(play.clock.now(), {}, {}, {}, {}, "digest"))
        plain = play.journal.append, play.cluster.replace
        _armed(play, Killer(at))
        try:
            play.conductor().play()
        except Killed:
            kills += 1
        else:
            break
        play.journal.append, play.cluster.replace = plain

        assert play.again().code == code, f"killed at {at}"
        assert play.cluster.weights(NS, "reviews") == weights, f"killed at {at}"
        assert len(play.cluster.writes) == writes + (story == "healthy"), f"killed at {at}"
    assert kills > 30


def test_killed_twice_it_still_ends_well():
    twice = 0
    for first in range(1, 60, 3):
        for second in range(1, 12):
            play = Play()
            play.conductor().record(RunStarted(play.clock.now(), {}, {}, {}, {}, "digest"))
            plain = play.journal.append, play.cluster.replace
            kills = 0
            for at, begin in ((first, lambda play=play: play.conductor().play()), (second, play.again)):
                play.journal.append, play.cluster.replace = plain
                _armed(play, Killer(at))
                with suppress(Killed):
                    begin()
                    kills -= 1
                kills += 1
            play.journal.append, play.cluster.replace = plain
            twice += kills == 2

            assert play.again().code == 0
            assert play.cluster.weights(NS, "reviews") == {"v1": 0, "v3": 100}
    assert twice > 150
