"""Lengths of time in words."""

import pytest

from runner.engine.lengths import length


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (15, "15s"),
        (90, "1m30s"),
        (300, "5m"),
        (3600, "1h"),
        (3660, "1h1m"),
        (90061, "1d1h"),
        (0.4, "0s"),
    ],
)
def test_a_length_is_said_in_its_two_largest_units(seconds, words):
    assert length(seconds) == words
