"""Virtual time passes only where somebody sleeps, in whole milliseconds."""

import pytest

from runner.sandbox import VirtualClock


def test_sleeping_jumps_and_never_ends_too_early():
    clock = VirtualClock(100.0)

    clock.sleep_until(103.4567)

    assert clock.now() == 103.457


def test_sleeping_until_the_past_changes_nothing():
    clock = VirtualClock(100.0)

    clock.sleep_until(99.0)

    assert clock.now() == 100.0


@pytest.mark.parametrize("moment", [1_767_268_800.123, 1_767_268_861.001, 1_999_999_999.999])
def test_times_of_today_stay_whole_milliseconds(moment):
    clock = VirtualClock(moment)

    clock.sleep_until(clock.now() + 0.1)

    assert clock.now() == round(moment + 0.1, 3)


def test_at_a_speed_it_really_sleeps_that_much_less():
    naps = []
    clock = VirtualClock(0.0, speed=30, sleep=naps.append)

    clock.sleep_until(15.0)

    assert naps == [0.5]
    assert clock.now() == 15.0


def test_at_a_speed_it_looks_up_every_real_second():
    naps = []
    clock = VirtualClock(0.0, speed=30, sleep=naps.append)

    clock.sleep_until(120.0)

    assert naps == [1.0]
    assert clock.now() == 30.0
