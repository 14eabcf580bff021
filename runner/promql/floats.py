"""Arithmetic as Go does it, with infinities and NaN for exceptions; Neumaier's sums as in Prometheus."""

import math
from collections.abc import Callable, Iterable, Sequence

INF = math.inf
NAN = math.nan
_WHOLE = 2.0**52  # from here on every float is a whole number


def divide(left: float, right: float) -> float:
    """left / right, where a zero divisor gives an infinity or NaN."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return NAN
    return math.copysign(INF, left) * math.copysign(1.0, right)


def modulo(left: float, right: float) -> float:
    """The remainder with the sign of *left*, as C's fmod."""
    if right == 0 or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return NAN
    return math.fmod(left, right)


def power(base: float, exponent: float) -> float:
    """base ** exponent with C's special cases."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -INF if base < 0 and math.fmod(exponent, 2) != 0 else INF
    except ValueError:
        if base != 0:
            return NAN
        odd = math.fmod(exponent, 2) != 0 and exponent == math.floor(exponent)
        return math.copysign(INF, base) if odd else INF


def floor(value: float) -> float:
    """The largest whole number not above *value*; zero keeps its sign."""
    return math.copysign(float(math.floor(value)), value) if abs(value) < _WHOLE else value


def ceil(value: float) -> float:
    """The smallest whole number not below *value*; zero keeps its sign."""
    return math.copysign(float(math.ceil(value)), value) if abs(value) < _WHOLE else value


def maximum(left: float, right: float) -> float:
    """As Go's math.Max: +Inf beats NaN, NaN beats the rest."""
    if INF in (left, right):
        return INF
    return NAN if math.isnan(left) or math.isnan(right) else max(left, right)


def minimum(left: float, right: float) -> float:
    """As Go's math.Min: -Inf beats NaN, NaN beats the rest."""
    if -INF in (left, right):
        return -INF
    return NAN if math.isnan(left) or math.isnan(right) else min(left, right)


def _total(
    function: Callable[[float], float], overflow: Callable[[float], float]
) -> Callable[[float], float]:
    def total(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return overflow(value)
        except ValueError:
            return NAN

    return total


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def total(value: float) -> float:
        if value > 0:
            return function(value)
        return -INF if value == 0 else NAN

    return total


def _sign(value: float) -> float:
    if value < 0:
        return -1.0
    return 1.0 if value > 0 else value


def _atanh(value: float) -> float:
    return math.copysign(INF, value) if abs(value) == 1 else math.atanh(value)


def _infinite(_: float) -> float:
    return INF


def _nan(_: float) -> float:
    return NAN


def _signed_infinite(value: float) -> float:
    return math.copysign(INF, value)


ELEMENTWISE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "acos": _total(math.acos, _nan),
    "acosh": _total(math.acosh, _nan),
    "asin": _total(math.asin, _nan),
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _total(_atanh, _nan),
    "ceil": ceil,
    "cos": _total(math.cos, _nan),
    "cosh": _total(math.cosh, _infinite),
    "deg": lambda value: value * (180 / math.pi),
    "exp": _total(math.exp, _infinite),
    "floor": floor,
    "ln": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "log2": _logarithm(math.log2),
    "rad": lambda value: value * (math.pi / 180),
    "sgn": _sign,
    "sin": _total(math.sin, _nan),
    "sinh": _total(math.sinh, _signed_infinite),
    "sqrt": _total(math.sqrt, _nan),
    "tan": _total(math.tan, _nan),
    "tanh": math.tanh,
}


def increment(value: float, total: float, lost: float) -> tuple[float, float]:
    """One step of Neumaier's sum: the new total and what rounding has lost so far.

    A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974; an infinite
    total forgets what was lost, as in Prometheus' util/kahansum.
    """
    new = total + value
    if math.isinf(new):
        return new, 0.0
    if abs(total) >= abs(value):
        return new, lost + ((total - new) + value)
    return new, lost + ((value - new) + total)


def total(values: Iterable[float]) -> float:
    """The sum of *values*, compensated; an infinite sum is not."""
    running, lost = _accumulated(values)
    return running if math.isinf(running) else running + lost


def plain_total(values: Iterable[float]) -> float:
    """The sum of *values*, compensated."""
    running, lost = _accumulated(values)
    return running + lost


def _accumulated(values: Iterable[float]) -> tuple[float, float]:
    """`increment` over all *values*, written out since it is where long windows spend their time."""
    running = lost = 0.0
    for value in values:
        new = running + value
        if new - new != 0:  # not finite
            lost = 0.0 if math.isinf(new) else NAN
        elif abs(running) >= abs(value):
            lost += (running - new) + value
        else:
            lost += (value - new) + running
        running = new
    return running, lost


def mean(values: Sequence[float]) -> float:
    """The mean of *values*, at least one, compensated; where their sum overflows, an incremental one."""
    running, lost = _accumulated(values)
    if math.isfinite(running):
        return running / len(values) + lost / len(values)
    return _incremental_mean(values)


def _incremental_mean(values: Sequence[float]) -> float:
    running, lost = values[0], 0.0
    average = None
    for count, value in enumerate(values[1:], start=2):
        if average is None:
            new, new_lost = increment(value, running, lost)
            if not math.isinf(new):
                running, lost = new, new_lost
                continue
            average, lost = running / (count - 1), lost / (count - 1)
        share = (count - 1) / count
        average, lost = increment(value / count, share * average, share * lost)
    return running / len(values) + lost / len(values) if average is None else average + lost


def has_nan(values: Sequence[float]) -> bool:
    """Whether NaN is among *values*, or may be: opposite infinities count too."""
    checked = sum(values)
    return checked != checked  # noqa: PLR0124 - only NaN differs from itself


def largest(values: Sequence[float]) -> float:
    """The largest of *values*; NaN only where there is nothing else."""
    if not has_nan(values):
        return max(values)
    return max((value for value in values if not math.isnan(value)), default=NAN)


def smallest(values: Sequence[float]) -> float:
    """The smallest of *values*; NaN only where there is nothing else."""
    if not has_nan(values):
        return min(values)
    return min((value for value in values if not math.isnan(value)), default=NAN)


def _nan_first(value: float) -> tuple[bool, float]:
    return not math.isnan(value), value


def quantile(rank: float, values: Sequence[float]) -> float:
    """The *rank*-quantile (0 to 1), linear between the two nearest values; NaN sorts first."""
    ordered = sorted(values, key=_nan_first) if has_nan(values) else sorted(values)
    if not ordered or math.isnan(rank):
        return NAN
    if rank < 0 or rank > 1:
        return math.copysign(INF, rank - 0.5)
    position = rank * (len(ordered) - 1)
    lower = math.floor(position)
    weight = position - lower
    if weight == 0:
        return ordered[lower]
    return ordered[lower] * (1 - weight) + ordered[min(lower + 1, len(ordered) - 1)] * weight
