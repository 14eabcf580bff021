"""Queries by hand: every function, operator and modifier, on the worlds made for it."""

from collections.abc import Iterator

from tests.promql.corpus.case import Case

from .aggregations import aggregations
from .errors import errors
from .functions import absence, calendar, clamps, elementwise, histograms, label_functions, over_time, sorts
from .operators import binaries, matching, scalars
from .selecting import extended, modifiers, selectors

ALL = (
    elementwise,
    clamps,
    calendar,
    over_time,
    absence,
    aggregations,
    scalars,
    binaries,
    matching,
    modifiers,
    extended,
    selectors,
    histograms,
    label_functions,
    sorts,
    errors,
)


def by_hand() -> Iterator[Case]:
    for part in ALL:
        yield from part()
