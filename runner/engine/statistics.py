"""How sure counts can make us: intervals, tests of two rates, and alpha shared out over repeated looks.

Counts may be fractions, since PromQL's `increase` extrapolates. Rates, levels and probabilities lie in 0..1.
"""

from functools import lru_cache
from itertools import accumulate
from math import ceil, exp, floor, lgamma, log, sqrt
from statistics import NormalDist

NORMAL = NormalDist()
TAIL = 10.0  # standard deviations of a Poisson count that are summed; beyond lies less than 1e-15
MANY = 20_000.0  # events above which a Poisson count is as good as normal


def wilson(bad: float, of: float, confidence: float) -> tuple[float, float]:
    """The two-sided score interval of the rate *bad* / *of*; (0, 1) where nothing was counted.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927),
    209-212.
    """
    if of <= 0:
        return 0.0, 1.0
    z = NORMAL.inv_cdf(0.5 + confidence / 2)
    rate, spread = bad / of, z * z / of
    middle = rate + spread / 2
    half = z * sqrt(max(0.0, rate * (1 - rate) / of + spread / (4 * of)))
    low = 0.0 if bad <= 0 else (middle - half) / (1 + spread)
    high = 1.0 if bad >= of else (middle + half) / (1 + spread)
    return max(0.0, low), min(1.0, high)


def excess_p_value(bad: float, of: float, base_bad: float, base_of: float, allowance: float) -> float:
    """How likely a rate only *allowance* above the base's shows this excess, or a greater one, by chance.

    The E-test of two Poisson rates, one-sided: K. Krishnamoorthy, J. Thomson, "A more powerful test for
    comparing two Poisson means", J. Stat. Plan. Inference 119 (2004), 23-35. Requests that fail are binomial,
    which varies less than Poisson, so the test keeps its level for any rate. Counts are rounded.
    """
    x, y = round(bad), round(base_bad)
    base = (x + y) / (of + base_of) - allowance * of / (of + base_of)
    if base <= 0:  # the pooled rate is below the allowance already: no excess to speak of
        return 1.0
    mean, base_mean = of * (base + allowance), base_of * base
    seen = _distance(x, of, y, base_of, allowance)
    if max(mean, base_mean) > MANY:
        return 1.0 - NORMAL.cdf(seen)
    return _tail_beyond(seen, mean, of, base_mean, base_of, allowance)


def _distance(x: float, of: float, y: float, base_of: float, allowance: float) -> float:
    """The excess over the allowance in standard errors."""
    excess = x / of - y / base_of - allowance
    error = sqrt(x / (of * of) + y / (base_of * base_of))
    if error == 0:
        return 0.0 if excess == 0 else excess * float("inf")
    return excess / error


def _tail_beyond(
    seen: float, mean: float, of: float, base_mean: float, base_of: float, allowance: float
) -> float:
    """P(distance >= *seen*) for independent Poisson counts: per base count, the bad counts that reach it.

    The distance grows with the bad count and falls with the base's, so one pointer goes up with it.
    """
    first, chances = _poisson(mean)
    beyond = [*accumulate(reversed(chances))][::-1]
    base_first, base_chances = _poisson(base_mean)
    total, n = 0.0, 0
    for step, chance in enumerate(base_chances):
        y = base_first + step
        while n < len(beyond) and _distance(first + n, of, y, base_of, allowance) < seen - 1e-12:
            n += 1
        while n > 0 and _distance(first + n - 1, of, y, base_of, allowance) >= seen - 1e-12:
            n -= 1
        total += chance * (beyond[n] if n < len(beyond) else 0.0)
    return min(1.0, total)


def _poisson(mean: float) -> tuple[int, list[float]]:
    """The first count that matters and the chances of it and those after it."""
    reach = TAIL * sqrt(mean) + TAIL
    first, last = max(0, floor(mean - reach)), ceil(mean + reach)
    if mean <= 0:
        return 0, [1.0]
    chances = [exp(first * log(mean) - mean - lgamma(first + 1))]
    for count in range(first + 1, last + 1):
        chances.append(chances[-1] * mean / count)
    return first, chances


def multiple_p_value(bad: float, of: float, base_bad: float, base_of: float, factor: float) -> float:
    """How likely a rate only *factor* times the base's shows this multiple, or a greater one, by chance.

    Given all bad requests, those of one side are binomial: J. Przyborowski, H. Wilenski, "Homogeneity of
    results in testing samples from Poisson series", Biometrika 31 (1940), 313-323. Exact for any counts.
    """
    x, total = round(bad), round(bad) + round(base_bad)
    if x == 0:
        return 1.0
    share = of * factor / (of * factor + base_of)
    return binomial_at_least(x, total, share)


def binomial_at_least(x: int, total: int, share: float) -> float:
    """P(X >= x) of *total* draws with chance *share* each."""
    if x <= 0 or share >= 1:
        return 1.0
    if share <= 0:
        return 0.0
    if total > MANY:
        spread = sqrt(total * share * (1 - share))
        return 1.0 - NORMAL.cdf((x - 0.5 - total * share) / spread)
    if x <= total * share:  # the shorter tail is the exact one
        return 1.0 - _binomial_tail(total - x + 1, total, 1 - share)
    return _binomial_tail(x, total, share)


def _binomial_tail(x: int, total: int, share: float) -> float:
    """P(X >= x), summed from *x* up."""
    ways = lgamma(total + 1) - lgamma(x + 1) - lgamma(total - x + 1)
    chance = exp(ways + x * log(share) + (total - x) * log(1 - share))
    step, tail = share / (1 - share), 0.0
    for k in range(x, total + 1):
        tail += chance
        if chance < tail * 1e-18:
            break
        chance *= step * (total - k) / (k + 1)
    return min(1.0, tail)


@lru_cache(maxsize=1024)
def alpha_of_look(look: int, looks: int | None, alpha: float) -> float:
    """The part of *alpha* that look number *look* (from 1) may spend; all parts add up to at most *alpha*.

    By Boole's inequality the chance of a false alarm in any look is then at most *alpha*, however the looks
    hang together. *looks* planned ones follow the power family of K. Kim, D. DeMets, Biometrika 74 (1987),
    149-154, with exponent looks + 1, which leaves about two thirds for the last look, when there is most to
    see. An unlimited number (None) gets alpha / (look (look + 1)). A look beyond the plan may spend nothing.
    """
    if looks is None:
        return alpha / (look * (look + 1))
    if look > looks:
        return 0.0
    exponent = looks + 1
    return alpha * float((look / looks) ** exponent - ((look - 1) / looks) ** exponent)
