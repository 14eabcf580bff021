"""Time goes forward, and sleeps are short."""

import time

from runner.adapters.clock import SystemClock
from tests.adapters.loopback import at_most


def test_the_time_is_the_walls_in_whole_milliseconds():
    clock = SystemClock()

    now = clock.now()

    assert abs(now - time.time()) < 0.05
    assert round(now * 1000) / 1000 == now


def test_a_wall_clock_that_is_set_moves_no_wait(monkeypatch):
    clock = SystemClock()
    before = clock.now()

    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert 0 <= clock.now() - before < 0.5


def test_a_sleep_ends_at_its_time_and_not_before():
    clock = SystemClock()
    until = clock.now() + 0.02

    clock.sleep_until(until)

    assert until <= clock.now() < until + 0.2


def test_what_is_past_is_not_waited_for():
    clock = SystemClock()

    with at_most(2.0):
        clock.sleep_until(clock.now() - 5)
        clock.sleep_until(float("-inf"))
