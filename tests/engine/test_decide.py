"""The engine alone: every state has a next action, and what must never happen never does."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.engine.actions import Look, Measure, Perform, Probe, Record, Sleep, Stop
from runner.engine.decide import decide
from runner.engine.events import (
    EffectDone,
    EffectIntended,
    MeasurementTaken,
    RollbackFinished,
    RollbackStarted,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageStarted,
    StageSucceeded,
)
from runner.engine.evolve import evolve, replay
from runner.engine.observations import Interrupted, Order, OrderKind, Readiness, Refused, RouteSeen, Trouble
from runner.engine.program import SetSplit
from runner.engine.state import begin
from runner.model.checks import Verdict
from runner.model.split import split_of
from runner.stages.kinds import compile_playbook
from tests.fakes.release import playbook
from tests.fakes.world import NOON

V1 = split_of({"v1": 100})
WORDS = st.sampled_from(
    [
        "go",
        "go",
        "go",
        "go",
        "fail",
        "blind",
        "trouble",
        "interrupt",
        "abort",
        "pause",
        "crash",
        "not ready",
        "refuse",
    ]
)


class Hand:
    """Does what the engine asks, in the mood that the test says, and keeps the journal."""

    def __init__(self):
        self.program = compile_playbook("r1", playbook())
        self.state = begin(self.program)
        self.journal = []
        self.now = NOON
        self.split = V1
        self.rises = []
        self.record(RunStarted(self.now, {}, {}, {}, {}, "d"))

    def record(self, *events):
        for event in events:
            self.journal.append(event)
            self.state = evolve(self.state, event)

    def notice(self, observation):
        self.state = evolve(self.state, observation)

    def step(self, word):
        self.now += 0.001
        if word == "crash":
            self.state = replay(begin(self.program), self.journal)
            self.record(RunResumed(self.now))
        elif word == "interrupt":
            self.notice(Interrupted("SIGINT", 130))
        elif word in ("abort", "pause"):
            self.notice(Order(OrderKind(word), "ann"))
        action = decide(self.state, self.now)
        self.answer(action, word)
        return action

    def answer(self, action, word):
        match action:
            case Record(events=events):
                self.record(*events)
            case Sleep(until=until):
                assert until >= self.now
                self.now = max(self.now, until)
            case Look(route=route):
                self.notice(Trouble(self.now, "x") if word == "trouble" else RouteSeen(route, self.split))
            case Probe(step=step):
                ready = word != "not ready"
                self.notice(
                    Trouble(self.now, "x") if word == "trouble" else Readiness(self.now, step, ready, "no")
                )
            case Measure(check=check, stage=stage, guard=guard):
                verdict = {"fail": Verdict.FAILED, "blind": Verdict.INCONCLUSIVE}.get(word, Verdict.PASSED)
                self.record(MeasurementTaken(self.now, check.name, None, verdict, "r", stage, guard))
            case Perform(ref=ref, effect=effect):
                self.perform(ref, effect, word)
            case Stop():
                pass

    def perform(self, ref, effect, word):
        assert isinstance(effect, SetSplit)
        if word == "refuse":
            self.notice(Refused("no", 1))
            return
        if word == "trouble":
            self.notice(Trouble(self.now, "x"))
            return
        if effect.split["v3"] > self.split["v3"]:
            self.rises.append(len(self.journal))
        before, self.split = self.split, effect.split
        self.record(
            EffectIntended(self.now, ref, {}, {"split": before.as_dict()}),
            EffectDone(self.now, ref),
            SplitChanged(self.now, effect.route, before, effect.split),
        )


@given(st.lists(WORDS, max_size=120))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_the_run_can_go_on_or_has_ended(words):
    hand = Hand()
    for word in words:
        hand.step(word)

    for _ in range(5000):
        action = hand.step("go")
        if isinstance(action, Stop):
            break
    else:
        raise AssertionError("the run never came to a stop")
    if hand.state.ended.outcome in ("rejected", "aborted"):
        assert hand.split == V1


def test_left_alone_the_canary_rises_more_than_once():
    hand = Hand()
    for _ in range(400):
        hand.step("go")

    assert len(hand.rises) >= 2


@given(st.lists(WORDS, max_size=120))
@settings(max_examples=300, deadline=None)
def test_the_canary_never_rises_without_verdicts_passed_since_its_last_rise(words):
    hand = Hand()
    for word in [*words, *["go"] * 400]:
        hand.step(word)

    for earlier, later in zip(hand.rises, hand.rises[1:], strict=False):
        between = hand.journal[earlier:later]
        passed = [
            e for e in between if isinstance(e, MeasurementTaken) and e.stage and e.verdict is Verdict.PASSED
        ]
        rolled_back = any(type(e).__name__ == "RollbackStarted" for e in hand.journal[:later])
        assert len(passed) >= 3
        assert not rolled_back


@given(st.lists(st.sampled_from(["go", "trouble", "abort", "pause", "crash", "refuse"]), max_size=40))
@settings(max_examples=100, deadline=None)
def test_a_way_back_is_begun_once_and_gone_before_anything_else(words):
    hand = Hand()
    while not hand.rises:
        hand.step("go")
    while not any(isinstance(event, RollbackStarted) for event in hand.journal):
        hand.step("fail")
    begun = len(hand.journal)

    for word in words:
        hand.step(word)

    after = hand.journal[begun:]
    done = next((n for n, event in enumerate(after) if isinstance(event, RollbackFinished)), len(after))
    assert not any(isinstance(e, RollbackStarted | StageStarted | StageSucceeded) for e in after[:done])


@given(st.lists(WORDS, max_size=60))
@settings(max_examples=200, deadline=None)
def test_replaying_the_journal_gives_the_durable_part_of_the_state(words):
    hand = Hand()
    for word in words:
        hand.step(word)

    again = replay(begin(hand.program), hand.journal)

    assert again.index == hand.state.index
    assert again.ended == hand.state.ended
    assert (again.rollback is None) == (hand.state.rollback is None)
    assert {n: r.split for n, r in again.routes.items() if r.moved} == {
        n: r.split for n, r in hand.state.routes.items() if r.moved
    }


def test_a_run_of_no_stages_succeeds():
    program = compile_playbook("r1", replace(playbook(), stages=()))
    state = evolve(begin(program), RunStarted(NOON, {}, {}, {}, {}, "d"))

    action = decide(state, NOON)

    assert isinstance(action, Record)
    assert action.events[0].outcome == "succeeded"
