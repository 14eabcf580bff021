"""What a gate can see: chances of an alarm, requests needed, regressions found. Rates lie in 0..1."""

from collections.abc import Callable
from math import ceil, comb, sqrt

from runner.engine.statistics import NORMAL, binomial_at_least, wilson

POWER = 0.8  # the chance with which a gate should see what it is said to see


def requests_needed(
    base: float, bad: float, share: float, *, alpha: float = 0.05, power: float = POWER
) -> int:
    """Canary requests with which a one-sided test of two proportions tells *bad* from *base*.

    *share* is the canary's part of the traffic: stable has (1 - share) / share times as many. J. L. Fleiss,
    B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions" (3rd ed. 2003), section 4.3: pooled
    variance for the level, each side's own for the power.
    """
    times = (1 - share) / share
    pooled = (bad + times * base) / (1 + times)
    level = NORMAL.inv_cdf(1 - alpha) * sqrt((1 + 1 / times) * pooled * (1 - pooled))
    reach = NORMAL.inv_cdf(power) * sqrt(bad * (1 - bad) + base * (1 - base) / times)
    return ceil(((level + reach) / (bad - base)) ** 2)


def comparison_power(
    base: float, bad: float, of: float, base_of: float, allowed: float, alpha: float
) -> float:
    """The chance that *of* canary and *base_of* stable requests reject *bad* at level *alpha*.

    *allowed* is the highest canary rate that the allowance permits at this *base*. By the square root of a
    rate, whose spread hardly depends on the rate: M. S. Bartlett, "The square root transformation in analysis
    of variance", Suppl. J. R. Stat. Soc. 3 (1936), 68-78; good for few events, where the difference is not.
    """
    if of <= 0 or base_of <= 0:
        return 0.0
    error = sqrt(1 / of + 1 / base_of) / 2
    return (
        NORMAL.cdf((sqrt(bad) - sqrt(allowed)) / error - NORMAL.inv_cdf(1 - alpha)) if bad > base else alpha
    )


def ratio_alarms(rate: float, of: float, highest: float, confidence: float = 0.95) -> float:
    """The chance that a ratio of *of* requests fails at *rate*: its whole interval lies above *highest*."""
    whole = int(of)
    least = _least_alarming(whole, highest, confidence)
    return 0.0 if least is None else binomial_at_least(least, whole, rate)


def _least_alarming(of: int, highest: float, confidence: float) -> int | None:
    """The fewest bad requests that fail a ratio; None where not even all do."""
    if of < 1 or wilson(of, of, confidence)[0] <= highest:
        return None
    low, high = 0, of
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wilson(middle, of, confidence)[0] > highest else (middle, high)
    return high


def at_least(times: int, of: int, chance: float) -> float:
    """The chance of *times* or more alarms in *of* independent measurements."""
    return sum(comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(times, of + 1))


def smallest_seen(chance: Callable[[float], float], floor: float, power: float = POWER) -> float | None:
    """The smallest rate above *floor* that *chance* sees with *power*; None where not even 1 is seen."""
    if chance(1.0) < power:
        return None
    low, high = floor, 1.0
    while high - low > 1e-5 + 1e-3 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def requests_to_show(base: float, highest: float, confidence: float = 0.95) -> int | None:
    """Requests after which the interval around *base* lies within *highest*; None where it never does."""
    if base >= highest:
        return None
    low, high = 0, 1
    while wilson(base * high, high, confidence)[1] > highest:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        within = wilson(base * middle, middle, confidence)[1] <= highest
        low, high = (low, middle) if within else (middle, high)
    return high
