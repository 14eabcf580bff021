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
}
"""Integers that are known to show it: where they no longer do, all are tried."""


@pytest.mark.parametrize("name", [name for name in sabotage.SABOTAGES if name not in concealing.LONG])
def test_a_missing_safeguard_is_noticed(name):
    assert sabotage.caught(name, [SHOWN.get(name, 0), *range(TRIES)]) is not None
