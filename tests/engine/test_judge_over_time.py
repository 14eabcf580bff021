"""An odd answer once, always, or every k-th time: a verify stage never passes on it."""

import itertools

import pytest

from runner.engine.actions import Measure, Record, Sleep, Stop
from runner.engine.decide import decide
from runner.engine.events import MeasurementTaken, Outcome, RunFinished, RunStarted, StageSucceeded
from runner.engine.evolve import evolve
from runner.engine.judge import judge
from runner.engine.measuring import looks_before, looks_planned
from runner.engine.program import Judge, Program, ProgramStage
from runner.engine.state import begin
from runner.model.checks import Verdict
from runner.model.playbook import Playbook, Target
from runner.model.stages import OnInconclusive

from .answers import NOW, Kind, kinds

COUNT = 4
ALL = kinds()
PASSING = {kind.check.name: kind for kind in reversed(ALL) if kind.verdict is Verdict.PASSED}
ODD = [kind for kind in ALL if kind.verdict is not Verdict.PASSED]


def play(odd: Kind, is_odd, every=60.0):
    """One verify stage over answers of which the n-th (from 1) is odd where *is_odd* says so."""
    judging = Judge((odd.check,), every, COUNT, 0, 300.0, OnInconclusive.ROLLBACK)
    stage = ProgramStage("verify", "verify", (judging,))
    playbook = Playbook("p", "1", Target("default"), (), (), ())
    state = begin(Program("run", playbook, (stage,)))
    now, events, asked = NOW, [], 0

    def record(*happened):
        nonlocal state
        for event in happened:
            state = evolve(state, event)
            events.append(event)

    record(RunStarted(now, {}, {}, {}, {}, ""))
    for _ in range(1_000):
        match decide(state, now):
            case Record(happened):
                record(*happened)
            case Sleep(until):
                now = max(until, now)
            case Measure() as action:
                asked += 1
                kind = odd if is_odd(asked) else PASSING.get(odd.check.name, odd)
                judged = judge(
                    odd.check,
                    kind.at(now),
                    now=now,
                    since=kind.since + now - NOW,
                    live=kind.live,
                    earlier=looks_before(action, state),
                    looks=looks_planned(action, state),
                )
                record(
                    MeasurementTaken(
                        now,
                        odd.check.name,
                        judged.value,
                        judged.verdict,
                        judged.reason,
                        "verify",
                        None,
                        {"facts": judged.facts},
                    )
                )
            case Stop():
                return events
    raise AssertionError("the run never ends")


def outcome(events):
    return next((event.outcome for event in events if isinstance(event, RunFinished)), None)


def verdicts(events):
    return [event.verdict for event in events if isinstance(event, MeasurementTaken)]


@pytest.mark.parametrize("kind", ODD, ids=lambda kind: kind.name)
def test_always_odd_never_passes(kind):
    events = play(kind, lambda n: True)

    assert not any(isinstance(event, StageSucceeded) for event in events)
    assert outcome(events) is not Outcome.SUCCEEDED


# What a comparison counts is added up, so a look with few requests is judged together with those before it.
ADDED_UP = ("hardly any canary requests", "hardly any stable requests")
MIXED = [kind for kind in ODD if kind.check.name in PASSING and kind.name not in ADDED_UP]


@pytest.mark.parametrize("kind", MIXED, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "is_odd",
    [lambda n: n == 1, lambda n: n == 3, lambda n: n % 2 == 0],
    ids=["first", "third", "every second"],
)
def test_sometimes_odd_counts_for_nothing_or_against(kind, is_odd):
    events = play(kind, is_odd)
    seen = verdicts(events)

    if kind.verdict is Verdict.FAILED:
        assert Verdict.FAILED in seen
        assert outcome(events) is not Outcome.SUCCEEDED
    else:
        assert seen.count(Verdict.PASSED) == COUNT
        assert len(seen) > COUNT or not any(is_odd(n + 1) for n in range(len(seen)))
        assert outcome(events) is Outcome.SUCCEEDED


@pytest.mark.parametrize("name", sorted(PASSING))
def test_good_answers_pass(name):
    events = play(PASSING[name], lambda n: True)

    assert verdicts(events) == [Verdict.PASSED] * COUNT
    assert outcome(events) is Outcome.SUCCEEDED


def test_windows_of_a_comparison_never_overlap_however_often_it_is_asked():
    events = play(PASSING["compare"], lambda n: True, every=15.0)
    times = [event.at for event in events if isinstance(event, MeasurementTaken)]

    assert [later - at for at, later in itertools.pairwise(times)] == [60.0] * (COUNT - 1)
