"""What a process says that was taken over: where the traffic was, and not that nobody watches it."""

from runner.cli.watching import Watchers, Wishes
from runner.engine.events import RunStarted, SplitChanged, StageStarted
from runner.errors import LockedError, RunnerError
from runner.model.split import split_of
from tests.fakes.release import playbook
from tests.fakes.world import NOON

PAST = (
    RunStarted(NOON, {}, {}, {}, {}, "digest"),
    StageStarted(NOON, "shift 80/20", 1),
    SplitChanged(NOON, "reviews", split_of({"v1": 100}), split_of({"v1": 80, "v3": 20}), "shift 80/20"),
)


def told_after(error: RunnerError) -> str:
    watchers = Watchers("r1", "run.jsonl", playbook(), Wishes(), PAST, instant=True)
    watchers.note_exposed(error, "run.jsonl")
    return "\n".join(error.__notes__)


def test_who_was_taken_over_leaves_the_watching_to_the_other():
    said = told_after(LockedError("another process has taken this run over"))

    assert "reviews was at v1 80 / v3 20" in said
    assert "go back   runner rollback run.jsonl" in said
    assert "nobody is watching" not in said


def test_who_breaks_off_says_that_nobody_watches_any_more():
    assert "nobody is watching it" in told_after(RunnerError("the disk is full"))
