"""Times in words."""

from runner.reports.figures import due

LATE = 1_763_850_600.0  # 2025-11-22 22:30:00 UTC


def test_a_time_of_the_same_day_needs_no_day():
    assert due(LATE + 60, LATE) == "22:31:00"


def test_a_time_of_another_day_says_which():
    assert due(LATE + 86400, LATE) == "2025-11-23 22:30:00"
