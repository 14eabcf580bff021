"""The questions that a release is asked, and what counts as an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from runner.model.split import Split


class Verdict(StrEnum):
    """What one measurement, or a whole check, says; never a pass by accident."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Reduce(StrEnum):
    """What several series become: one of these values, or each judged alone."""

    EACH = "each"
    MAX = "max"
    MIN = "min"
    SUM = "sum"
    AVG = "avg"


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL text and how far back from its evaluation it looks, in seconds."""

    text: str
    lookback: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Counted bad requests of all counted requests; fewer than *min_samples* is no evidence."""

    bad: Query
    of: Query
    min_samples: int = 30


@dataclass(frozen=True, slots=True)
class Bounds:
    """The value must lie between *min* and *max*, both included; None is open."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The served shares, by label *by*, must agree with the weights within *tolerance* points.

    The weights are those of *route* at that moment, or *expect*. *labels* says which value of the
    label a subset has, where it is not the subset's own name.
    """

    by: str
    tolerance: float
    route: str | None = None
    expect: Split | None = None
    labels: tuple[tuple[str, str], ...] = ()


class Allow(StrEnum):
    """How an allowance is counted: in points of the whole, or relative to stable's rate."""

    POINTS = "points"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The canary's rate may exceed stable's by at most the allowance, at *confidence*.

    *allowance* is a fraction: 0.005 for 0.5 points, 0.10 for 10 percent of stable's rate.
    """

    canary: Ratio
    stable: Ratio
    allow: Allow
    allowance: float
    confidence: float = 0.95


Measure = Query | Ratio | Comparison
Judgement = Bounds | Agreement | Comparison


@dataclass(frozen=True, slots=True)
class Check:
    """A named question: what to measure and how to judge it."""

    name: str
    measure: Measure
    judgement: Judgement
    no_data: Verdict = Verdict.INCONCLUSIVE
    reduce: Reduce | None = None
    unit: str = ""
    allow_warnings: tuple[str, ...] = ()

    @property
    def queries(self) -> Mapping[str, Query]:
        """Every query of this check by the part it plays."""
        match self.measure:
            case Query():
                return {"query": self.measure}
            case Ratio(bad=bad, of=of):
                return {"bad": bad, "of": of}
            case Comparison(canary=canary, stable=stable):
                return {
                    "canary.bad": canary.bad,
                    "canary.of": canary.of,
                    "stable.bad": stable.bad,
                    "stable.of": stable.of,
                }

    @property
    def lookback(self) -> float:
        """How far back the widest query looks, in seconds."""
        return max(query.lookback for query in self.queries.values())
