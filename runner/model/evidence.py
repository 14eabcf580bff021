"""What a metrics source answered, before anybody judged it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value; *value* may be NaN or infinite, as the source said it."""

    labels: Mapping[str, str]
    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """All series of one query, with the source's warnings.

    *newest* is the time of the newest raw sample that the query could read, where the source can tell.
    """

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()
    newest: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The source could not be asked, or what it said was no answer: why, in words."""

    reason: str


Evidence = Mapping[str, Answer | NoAnswer]
"""The answer to each query of a check, by the part it plays (see ``Check.queries``)."""
