"""What a playbook's gates can see with its traffic, and what a bad canary costs until it is stopped.

A forecast assumes even traffic, a canary that fails evenly, and scrapes every *scrape* seconds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import assert_never

from runner.engine.comparison import SPANNED
from runner.engine.power import (
    POWER,
    Looks,
    at_least,
    comparison_power,
    looks_at,
    ratio_alarms,
    requests_needed,
    requests_to_show,
    smallest_seen,
)
from runner.engine.statistics import NORMAL
from runner.engine.timeline import Span, timeline, total
from runner.model.checks import Agreement, Allow, Bounds, Check, Comparison, Ratio
from runner.model.playbook import Guard, OnFailure, Playbook
from runner.model.split import WHOLE
from runner.model.stages import OnInconclusive, Promote, Shift, Verify, Wait

ACT = 5.0  # seconds from the decision to go back until proxies follow


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a forecast starts from: requests a second by route, the stable error rate, the pace of scrapes."""

    traffic: Mapping[str, float]
    base: float = 0.001
    scrape: float = 15.0


@dataclass(frozen=True, slots=True)
class Gate:
    """One check where it is asked: by the verify stage *stage*, or by a guard through it.

    *requests* is how many canary requests one measurement sees, *enough* whether it may judge them. *sees* is
    the smallest canary error rate (for a split: share off the weights) that is rejected with 80 % power, None
    where counts cannot say. *soak* is the seconds of traffic after which what the bound claims is shown,
    None where never or unknown.
    """

    stage: str
    check: str
    guard: bool
    requests: float
    enough: bool
    sees: float | None
    soak: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """Requests that fail until traffic is back, if the canary fails all of its requests from this stage on.

    None where nothing would ever stop it. *seconds* are those until rollback, expected and at worst.
    """

    stage: str
    share: int
    expected: float | None
    worst: float | None
    seconds: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything that can be said about a playbook before it is played."""

    gates: tuple[Gate, ...]
    exposures: tuple[Exposure, ...]
    spans: tuple[Span, ...]
    assumed: Assumed

    @property
    def whole(self) -> Span:
        """The earliest and the latest end, in seconds after the start."""
        return total(self.spans)

    @property
    def expected(self) -> float | None:
        """The stage in which most is expected to fail; a run is rolled back only once."""
        return _largest([exposure.expected for exposure in self.exposures])

    @property
    def worst(self) -> float | None:
        """The stage in which most can fail."""
        return _largest([exposure.worst for exposure in self.exposures])


def _largest(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return None if len(known) < len(values) else max(known, default=0.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One stage with its place in time at best, and the canary's share of the route that moved last."""

    n: int
    start: float
    span: Span
    route: str | None
    share: int


def forecast(playbook: Playbook, assumed: Assumed) -> Forecast:
    """The forecast of *playbook*; routes without traffic in *assumed* are left out."""
    spans = timeline(playbook)
    moments = [
        moment
        for moment in _moments(playbook, spans)
        if moment.route is None or moment.route in assumed.traffic
    ]
    gates = [gate for moment in moments for gate in _gates(playbook, moment, assumed)]
    exposures = [
        _exposure(playbook, moments, moment, assumed)
        for moment in moments
        if moment.share and isinstance(playbook.stages[moment.n].kind, Shift)
    ]
    return Forecast(tuple(gates), tuple(exposures), spans, assumed)


def _moments(playbook: Playbook, spans: Sequence[Span]) -> Iterator[Moment]:
    start, route, share = 0.0, None, 0
    for n, (stage, span) in enumerate(zip(playbook.stages, spans, strict=True)):
        match stage.kind:
            case Shift(route=moved, split=split):
                route, share = moved, split[playbook.route(moved).canary]
            case Promote(route=moved):
                route, share = moved, WHOLE
            case _:
                pass
        yield Moment(n, start, span, route, share)
        start += span.best


def _gates(playbook: Playbook, moment: Moment, assumed: Assumed) -> Iterator[Gate]:
    kind = playbook.stages[moment.n].kind
    if moment.route is None or not moment.share:
        return
    if isinstance(kind, Verify):
        for check in kind.checks:
            yield _gate(check, moment, assumed, kind)
    if isinstance(kind, Verify | Wait):
        for guard in playbook.guards:
            if guard.route == moment.route:
                yield _gate(guard.check, moment, assumed, guard)


def _gate(check: Check, moment: Moment, assumed: Assumed, asked: Verify | Guard) -> Gate:
    canary = assumed.traffic[moment.route or ""] * moment.share / WHOLE
    requests, least = canary * check.lookback, least_samples(check)
    if requests < least:
        sees, note = None, f"about {requests:.0f} requests a window, at least {least} needed"
    else:
        sees, note = _sees(check, requests, moment, assumed, asked)
    soak = _soak(check, canary, moment.share, assumed.base)
    guard = isinstance(asked, Guard)
    return Gate(moment.span.stage, check.name, guard, requests, requests >= least, sees, soak, note)


def least_samples(check: Check) -> int:
    """How many requests one measurement must count before it says anything."""
    match check.measure:
        case Ratio(min_samples=least):
            return least
        case Comparison(canary=canary):
            return canary.min_samples
        case _:
            return 0


def _sees(
    check: Check, requests: float, moment: Moment, assumed: Assumed, asked: Verify | Guard
) -> tuple[float | None, str]:
    """The smallest rate that is rejected with 80 % power, and what is to be said about it."""
    match check.measure, check.judgement:
        case Ratio(), Bounds(max=float(highest)):
            alarms = _repeated(check, moment, asked)
            return smallest_seen(lambda rate: alarms(ratio_alarms(rate, requests, highest)), highest), ""
        case Comparison(), _ if moment.share >= WHOLE:
            return None, "stable has no traffic to compare with"
        case Comparison() as comparison, _:
            looks = _looks(check, moment, asked, 1 - comparison.confidence)
            of = requests * looks.number * SPANNED
            base_of, allowed = of * (WHOLE / moment.share - 1), highest_allowed(comparison, assumed.base)
            return smallest_seen(
                lambda rate: comparison_power(rate, of, base_of, allowed, looks), assumed.base
            ), ""
        case _, Agreement(tolerance=tolerance):
            return _share_seen(requests, moment.share, tolerance), "as points off the weights"
        case _:
            return None, "judged by its value, whatever the traffic"


def highest_allowed(comparison: Comparison, base: float) -> float:
    """The canary rate that the allowance permits when stable fails at *base*."""
    if comparison.allow is Allow.POINTS:
        return base + comparison.allowance
    return base * (1 + comparison.allowance)


def _repeated(check: Check, moment: Moment, asked: Verify | Guard) -> Callable[[float], float]:
    """From the chance that one measurement fails to that of a rejection, by independent windows."""
    window = max(check.lookback, 1.0)
    match asked:
        case Verify(every=every, count=count, failure_limit=limit):
            windows = 1 + int((count - 1) * every // max(window, every))
            return lambda chance: at_least(min(limit + 1, windows), windows, chance)
        case Guard(every=every, failure_limit=limit):
            in_a_row = 1 + int(limit * every // window)
            tries = max(1, int(moment.span.best // window) - in_a_row + 1)
            return lambda chance: at_least(1, tries, chance**in_a_row)
        case _:
            assert_never(asked)


def _looks(check: Check, moment: Moment, asked: Verify | Guard, alpha: float) -> Looks:
    """The looks of a comparison up to the one that sees most."""
    match asked:
        case Verify(count=count, failure_limit=limit):
            return looks_at(max(1, count - limit), count, alpha)
        case Guard(every=every):
            number = max(1, int(moment.span.best // max(every, check.lookback, 1.0)))
            return looks_at(number, None, alpha)
        case _:
            assert_never(asked)


def _share_seen(requests: float, share: int, tolerance: float) -> float:
    part, served = share / WHOLE, requests * WHOLE / share
    noise = NORMAL.inv_cdf(POWER) * sqrt(part * (1 - part) / served) if served else 1.0
    return tolerance / WHOLE + noise


def _soak(check: Check, canary: float, share: int, base: float) -> float | None:
    """Seconds until a canary that fails like stable has shown what the bound claims."""
    needed: int | None = None
    match check.measure, check.judgement:
        case Ratio(), Bounds(max=float(highest)):
            needed = requests_to_show(base, highest)
        case Comparison() as comparison, _ if share < WHOLE and comparison.allowance > 0:
            highest = min(1.0, highest_allowed(comparison, base))
            alpha = 1 - comparison.confidence
            needed = requests_needed(base, highest, share / WHOLE, alpha=alpha) if base < highest else None
        case _:
            pass
    return None if needed is None or canary <= 0 else needed / canary


def _exposure(playbook: Playbook, moments: Sequence[Moment], at: Moment, assumed: Assumed) -> Exposure:
    later = [moment for moment in moments if moment.n >= at.n]
    found = [] if playbook.on_failure is OnFailure.HOLD else list(_detections(playbook, later, at, assumed))
    expected, worst = (
        min((time + ACT for time in times if time is not None), default=None)
        for times in ([pair[0] for pair in found], [pair[1] for pair in found])
    )
    failed = [
        None if until is None else _canary_requests(later, at, until, assumed) for until in (expected, worst)
    ]
    return Exposure(at.span.stage, at.share, failed[0], failed[1], (expected, worst))


Times = tuple[float | None, float | None]
"""Seconds until a gate stops a canary that only fails, expected and at worst; None where it does not."""


def _detections(playbook: Playbook, later: Sequence[Moment], at: Moment, assumed: Assumed) -> Iterator[Times]:
    """Of every gate from *at* until the route is promoted; a verify holds the run up, a guard does not."""
    canary = assumed.traffic[at.route or ""] * at.share / WHOLE
    end = at.start
    for moment in later:
        kind = playbook.stages[moment.n].kind
        if isinstance(kind, Promote) and kind.route == at.route:
            break
        end = moment.start + moment.span.best
        if isinstance(kind, Verify):
            for check in kind.checks:
                first = max(moment.start - at.start, check.lookback)
                yield _detection(check, first, canary, assumed, kind)
    for guard in playbook.guards:
        if guard.route == at.route:
            expected, worst = _detection(guard.check, 0.0, canary, assumed, guard)
            yield _by(expected, end - at.start), _by(worst, end - at.start)


def _by(time: float | None, end: float) -> float | None:
    return time if time is not None and time <= end else None


def _detection(check: Check, begins: float, canary: float, assumed: Assumed, asked: Verify | Guard) -> Times:
    """At worst there is no evidence at all, and patience runs out."""
    if isinstance(check.judgement, Agreement) or asked.on_inconclusive is OnInconclusive.PAUSE:
        return None, None
    blind = begins + asked.patience + asked.every
    least = least_samples(check)
    if least > canary * check.lookback:
        return blind, blind
    seen = max(begins, 2 * assumed.scrape, least / canary + assumed.scrape if canary else 0.0)
    expected = seen + asked.failure_limit * asked.every + asked.every / 2
    return expected, max(expected + assumed.scrape + asked.every / 2, blind)


def _canary_requests(later: Sequence[Moment], at: Moment, seconds: float, assumed: Assumed) -> float:
    """Requests that the canary gets in *seconds* from *at* on, as later stages change its share."""
    total_requests, end = 0.0, at.start + seconds
    for moment, following in zip(later, [*later[1:], None], strict=True):
        until = end if following is None else min(end, following.start)
        share = moment.share if moment.route == at.route else at.share
        total_requests += max(0.0, until - moment.start) * share / WHOLE * assumed.traffic[at.route or ""]
    return total_requests
