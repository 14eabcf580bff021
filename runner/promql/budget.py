"""How much one query may do; what is beyond is refused instead of waited for."""

from dataclasses import dataclass

from runner.promql.errors import LimitError

MAX_STEPS = 11_000  # points per series that Prometheus' HTTP API allows

STEP_WORK = 10
POINT_WORK = 10
WINDOW_WORK = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """*work* is in units of about a tenth of a microsecond on a machine of 2024: 10 to 20 seconds in all.

    *samples* are those that a query holds in memory at once, in its answer and in its subqueries.
    """

    work: int = 100_000_000
    samples: int = 2_000_000
    steps: int = MAX_STEPS
    series: int = 100_000


class Budget:
    """What is left of the limits of one query."""

    __slots__ = ("_samples", "_work", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._work: float = limits.work
        self._samples = limits.samples

    def spend(self, work: float) -> None:
        """Count *work*. LimitError when nothing is left."""
        self._work -= work
        if self._work < 0:
            raise LimitError(
                "the query needs more work than one query may do",
                hint="shorten the range, lengthen the step, or select fewer series",
            )

    def hold(self, samples: int) -> None:
        """Count *samples* that stay in memory. LimitError when there are too many."""
        self._samples -= samples
        if self._samples < 0:
            raise LimitError(
                f"the query would hold more than {self.limits.samples:,} samples in memory",
                hint="shorten the range, lengthen the step, or select fewer series",
            )

    def check_series(self, count: int) -> None:
        """LimitError when *count* series are more than a query may read."""
        if count > self.limits.series:
            raise LimitError(
                f"the query selects {count:,} series, at most {self.limits.series:,} are read",
                hint="select fewer series",
            )
