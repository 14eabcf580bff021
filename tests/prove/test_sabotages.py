"""A safeguard that is missing is noticed; `make prove` finds anew after how many histories."""

import pytest

from tests.prove import concealing, sabotage

TRIES = 1_000
SHOWN = {
    "effects before the journal answers": 133,
    "no resourceVersion": 276,
    "no drift check": 380,
    "an unwatched soak counts": 71,
    "a resumed soak is over": 50,
    "nothing is sealed": 86,
    "a failed stage is begun again": 51,
    "warnings pass": 29,
    "several series pass": 29,
    "hosts are ignored in drift": 28,
    "no synchronisation": 25,
    "the first line is not synchronised": 24,
    "an older record is good enough": 18,
}
"""Integers that are known to show it: where they no longer do, all are tried."""


@pytest.mark.parametrize("name", [name for name in sabotage.SABOTAGES if name not in concealing.LONG])
def test_a_missing_safeguard_is_noticed(name):
    assert sabotage.caught(name, [SHOWN.get(name, 0), *range(TRIES)]) is not None


def test_integers_are_known_of_safeguards_alone():
    assert set(SHOWN) <= set(sabotage.SABOTAGES)
