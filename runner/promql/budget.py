"""How much one query may do; what is beyond is refused instead of waited for."""

from dataclasses import dataclass

from runner.promql.errors import LimitError

MAX_STEPS = 11_000  # points per series that Prometheus' HTTP API allows


@dataclass(frozen=True, slots=True)
class Limits:
    """*work* counts samples read from windows and values computed, over all steps of one query."""

    work: int = 30_000_000
    steps: int = MAX_STEPS
    series: int = 100_000


class Budget:
    """What is left of the limits of one query."""

    __slots__ = ("_left", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = limits.work

    def spend(self, work: int) -> None:
        """Count *work*. LimitError when nothing is left."""
        self._left -= work
        if self._left < 0:
            raise LimitError(
                f"the query would touch more than {self.limits.work:,} samples",
                hint="shorten the range, lengthen the step, or select fewer series",
            )

    def check_series(self, count: int) -> None:
        """LimitError when *count* series are more than a query may read."""
        if count > self.limits.series:
            raise LimitError(
                f"the query selects {count:,} series, at most {self.limits.series:,} are read",
                hint="select fewer series",
            )
