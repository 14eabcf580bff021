"""What a gate can see: chances of an alarm, requests needed, regressions found. Rates lie in 0..1."""

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, ceil, comb, sqrt

from runner.engine.judge import RATIO_CONFIDENCE
from runner.engine.statistics import NORMAL, alpha_of_look, binomial_at_least, wilson

POWER = 0.8  # the chance with which a gate should see what it is said to see
UNSEEN = 1.0  # failures: `increase` misses the one that a new series of failures begins with


def requests_needed(base: float, bad: float, share: float, *, alpha: float = 0.05) -> int:
    """Canary requests with which a one-sided test of two proportions tells *bad* from *base*.

    *share* is the canary's part of the traffic: stable has (1 - share) / share times as many. J. L. Fleiss,
    B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions" (3rd ed. 2003), section 4.3: pooled
    variance for the level, each side's own for the power.
    """
    times = (1 - share) / share
    pooled = (bad + times * base) / (1 + times)
    level = NORMAL.inv_cdf(1 - alpha) * sqrt((1 + 1 / times) * pooled * (1 - pooled))
    reach = NORMAL.inv_cdf(POWER) * sqrt(bad * (1 - bad) + base * (1 - base) / times)
    return ceil(((level + reach) / (bad - base)) ** 2)


@dataclass(frozen=True, slots=True)
class Looks:
    """How many looks at growing counts there are, and what alpha the last of them and the one before may spend."""

    number: int
    last: float
    before: float = 0.0


def looks_at(number: int, planned: int | None, alpha: float) -> Looks:
    """*number* looks of *planned* ones (None: no end), by the spending that the judge follows."""
    before = alpha_of_look(number - 1, planned, alpha) if number > 1 else 0.0
    return Looks(number, alpha_of_look(number, planned, alpha), before)


def comparison_power(
    bad: float, of: float, base_of: float, allowed: float, looks: Looks, unseen: float = UNSEEN
) -> float:
    """The chance that *of* canary and *base_of* stable requests, counted in *looks* looks, reject *bad*.

    *allowed* is the highest canary rate that the allowance permits. By the arc sine of the square
    root of a rate, whose spread does not depend on the rate: M. S. Bartlett, "The use of transformations",
    Biometrics 3 (1947), 39-52; good for few events, where the plain difference is not. A canary's failures are
    a new series, and Prometheus does not count the failure that a series begins with: *unseen* of them.
    """
    if of <= 0 or base_of <= 0:
        return 0.0
    if bad <= allowed:
        return looks.last
    counted = max(0.0, bad - unseen / of)
    error = sqrt(1 / of + 1 / base_of) / 2
    drift = (_stable_spread(counted) - _stable_spread(allowed)) / error
    return _rejected(drift, looks)


def _stable_spread(rate: float) -> float:
    return asin(sqrt(min(1.0, rate)))


def _rejected(drift: float, looks: Looks) -> float:
    """P(beyond the limit at the last look or the one before); earlier ones have next to nothing to spend.

    What the two have seen hangs together as sums of (number - 1) and of all *number* equal parts.
    """
    limit = NORMAL.inv_cdf(1 - looks.last)
    last = 1 - NORMAL.cdf(limit - drift)
    if looks.before <= 0:
        return last
    together = sqrt((looks.number - 1) / looks.number)
    earlier = NORMAL.inv_cdf(1 - looks.before) - drift * together
    rest = sqrt(1 - together * together)
    step = 0.05
    beyond = (earlier + step * (n + 0.5) for n in range(int(max(0.0, 8 - earlier) / step)))
    return last + sum(
        step * NORMAL.pdf(z) * NORMAL.cdf((limit - drift - together * z) / rest) for z in beyond
    )


def ratio_alarms(rate: float, of: float, highest: float) -> float:
    """The chance that a ratio of *of* requests fails at *rate*: its whole interval lies above *highest*."""
    whole = int(of)
    least = _least_alarming(whole, highest)
    return 0.0 if least is None else binomial_at_least(least, whole, rate)


def _least_alarming(of: int, highest: float) -> int | None:
    """The fewest bad requests that fail a ratio; None where not even all do."""
    if of < 1 or wilson(of, of, RATIO_CONFIDENCE)[0] <= highest:
        return None
    low, high = 0, of
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wilson(middle, of, RATIO_CONFIDENCE)[0] > highest else (middle, high)
    return high


def at_least(times: int, of: int, chance: float) -> float:
    """The chance of *times* or more alarms in *of* independent measurements."""
    return sum(comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(times, of + 1))


def smallest_seen(chance: Callable[[float], float], floor: float) -> float | None:
    """The smallest rate above *floor* that *chance* sees with POWER; None where not even 1 is seen."""
    if chance(1.0) < POWER:
        return None
    low, high = floor, 1.0
    while high - low > 1e-5 + 1e-3 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if chance(middle) >= POWER else (middle, high)
    return high


def requests_to_show(base: float, highest: float) -> int | None:
    """Requests after which the interval around *base* lies within *highest*; None where it never does."""
    if base >= highest:
        return None
    low, high = 0, 1
    while wilson(base * high, high, RATIO_CONFIDENCE)[1] > highest:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        within = wilson(base * middle, middle, RATIO_CONFIDENCE)[1] <= highest
        low, high = (low, middle) if within else (middle, high)
    return high
