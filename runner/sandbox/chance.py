"""Chance that repeats: every draw is named, so the same names give the same numbers."""

import math
from collections.abc import Sequence
from hashlib import blake2b
from random import Random

SMALL = 10.0  # expected successes below which counting up is cheaper than rejection


def dice(seed: int, *names: object) -> Random:
    """A generator of its own for *names*; nothing else that is drawn ever changes it."""
    return Random(_digest(seed, names))  # noqa: S311 - a simulation, and it must repeat


def fraction(seed: int, *names: object) -> float:
    """One number in [0, 1) for *names*."""
    return _digest(seed, names) / 2**64


def word(seed: int, length: int, *names: object) -> str:
    """A name as Kubernetes makes them up: *length* letters and digits that spell nothing rude."""
    letters = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery pkg/util/rand
    number = _digest(seed, names)
    return "".join(letters[(number // 27**place) % 27] for place in range(length))


def uuid(seed: int, *names: object) -> str:
    """A version 4 UUID for *names*."""
    raw = blake2b(repr((seed, names)).encode(), digest_size=16).hexdigest()
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"


def binomial(random: Random, n: int, p: float) -> int:
    """How many of *n* independent trials succeed, each with probability *p*; exact."""
    if p <= 0.0 or n <= 0:
        return 0
    if p >= 1.0:
        return n
    if p > 0.5:
        return n - binomial(random, n, 1.0 - p)
    return _counted_up(random, n, p) if n * p < SMALL else _rejected(random, n, p)


def multinomial(random: Random, n: int, shares: Sequence[float]) -> list[int]:
    """How *n* trials fall on outcomes with probability proportional to *shares*."""
    counts = [0] * len(shares)
    rest = math.fsum(shares)
    for place, share in enumerate(shares):
        if n == 0:
            break
        counts[place] = binomial(random, n, share / rest) if share < rest else n
        n -= counts[place]
        rest -= share
    return counts


def _counted_up(random: Random, n: int, p: float) -> int:
    """Inversion: walk up the distribution until a uniform number is used up."""
    odds = p / (1.0 - p)
    chance = (1.0 - p) ** n
    left = random.random()
    k = 0
    while left > chance and k < n:
        left -= chance
        k += 1
        chance *= odds * (n - k + 1) / k
    return k


def _rejected(random: Random, n: int, p: float) -> int:
    """BTRS, transformed rejection with squeeze (W. Hoermann, Generation of binomial random variates, 1993).

    Needs n * p >= 10 and p <= 0.5; under two uniform pairs a draw on average.
    """
    spread = math.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    center = n * p + 0.5
    squeeze = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    log_odds = math.log(p / (1.0 - p))
    mode = math.floor((n + 1) * p)
    top = math.lgamma(mode + 1) + math.lgamma(n - mode + 1)
    while True:
        u = random.random() - 0.5
        v = random.random()
        us = 0.5 - abs(u)
        if us == 0.0:
            continue
        k = math.floor((2.0 * a / us + b) * u + center)
        if us >= 0.07 and v <= squeeze:
            return k
        if 0 <= k <= n:
            height = math.log(v * alpha / (a / (us * us) + b)) if v > 0.0 else -math.inf
            if height <= top - math.lgamma(k + 1) - math.lgamma(n - k + 1) + (k - mode) * log_odds:
                return k


def _digest(seed: int, names: tuple[object, ...]) -> int:
    return int.from_bytes(blake2b(repr((seed, names)).encode(), digest_size=8).digest(), "big")
