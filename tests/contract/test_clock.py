"""The Clock port: whole milliseconds, never backwards, never a long sleep in real time."""

import pytest

from runner.adapters.clock import SystemClock
from runner.sandbox import VirtualClock
from tests.contract.benches import NOON

CLOCKS = [SystemClock, lambda: VirtualClock(NOON)]


@pytest.mark.parametrize("made", CLOCKS, ids=["system", "sandbox"])
def test_times_are_whole_milliseconds_and_never_go_back(made):
    clock = made()

    times = []
    for step in (0.0, 0.001, -1.0, 0.0025, 0.01):
        clock.sleep_until(clock.now() + step)
        times.append(clock.now())

    assert times == sorted(times)
    assert all(round(time * 1000) / 1000 == time for time in times)


@pytest.mark.parametrize("made", CLOCKS, ids=["system", "sandbox"])
def test_a_short_sleep_reaches_its_time(made):
    clock = made()
    until = clock.now() + 0.01

    clock.sleep_until(until)

    assert clock.now() >= until - 0.001
