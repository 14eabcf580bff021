"""How often a comparison rejects a canary, through the sandbox's mesh, scrapes and PromQL.

    python tests/bench/comparison.py [--canaries 10000] [--jobs 2]

prints three tables. The first: good canaries (both versions fail alike) under default settings, of which at most
5 % may be rejected. The second: good canaries beside a stable version whose failures begin with the shift, which
nothing bounds. The third: regressions, of which the rejected part must be within 5 points of the forecast.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from runner.bootstrap import rehearsing
from runner.engine.comparison import SPANNED
from runner.engine.forecast import highest_allowed
from runner.engine.power import comparison_power, looks_at, requests_needed
from runner.model.checks import Allow, Check, Comparison, Query, Ratio
from runner.model.playbook import Playbook, Route, Target
from runner.model.scenario import Errors, Given, Load, Scenario, When
from runner.model.split import canary_split
from runner.model.stages import Shift, Stage, Verify, Wait
from runner.rehearsal.playing import play

WINDOW = 60
FEWEST = 10  # requests of a look, so that each minute is one even at the table's lowest traffic
TABLE = [
    (0.001, 0.01, 20),
    (0.005, 0.01, 20),
    (0.01, 0.02, 20),
    (0.01, 0.05, 20),
    (0.01, 0.02, 5),
    (0.001, 0.002, 20),
]


@dataclass(frozen=True)
class Trial:
    """Canaries that fail at *bad* beside a stable version that fails at *base*; *rate* requests a second in all."""

    base: float
    bad: float
    share: int
    rate: float
    looks: int = 5
    allow: Allow = Allow.POINTS
    allowance: float = 0.0
    newborn: bool = False

    @property
    def comparison(self) -> Comparison:
        return Comparison(_ratio("v3"), _ratio("v1"), self.allow, self.allowance)

    @property
    def forecast(self) -> float:
        """The chance of a rejection that the forecast states."""
        of = self.rate * self.share / 100 * WINDOW * self.looks * SPANNED
        looks = looks_at(self.looks, self.looks, 0.05)
        allowed = highest_allowed(self.comparison, self.base)
        return comparison_power(self.bad, of, of * (100 / self.share - 1), allowed, looks)


def _ratio(revision: str) -> Ratio:
    of = f'istio_requests_total{{reporter="destination",destination_canonical_revision="{revision}"'
    return Ratio(
        Query(f'sum(increase({of},response_code=~"5.."}}[{WINDOW}s]))', WINDOW),
        Query(f"sum(increase({of}}}[{WINDOW}s]))", WINDOW),
        FEWEST,
    )


def rejected(trial: Trial, seed: int) -> bool:
    """Whether the canary of this seed is rejected."""
    check = Check("worse", trial.comparison, trial.comparison)
    route = Route("reviews", "reviews", "bookinfo", canary="v3", stable="v1")
    stages = (
        Stage("stable has failed before", Wait(300.0)),
        Stage("shift", Shift("reviews", canary_split("v1", "v3", trial.share))),
        Stage("verify", Verify((check,), count=trial.looks)),
    )
    playbook = Playbook("proof", "1", Target("bookinfo"), (route,), (), stages)
    since = "shift" if trial.newborn else None
    whens = (
        When(Errors(trial.base), since, route="reviews"),
        When(Errors(trial.bad), since, route="reviews", subset="canary"),
    )
    scenario = Scenario("proof", "", Given(traffic=(("reviews", Load(trial.rate)),)), whens)
    played = play(playbook, scenario, rehearsing(seed))
    assert played.ending in ("succeeded", "rejected"), played.reason
    return played.ending == "rejected"


def _count(work: tuple[Trial, range]) -> int:
    trial, seeds = work
    return sum(rejected(trial, seed) for seed in seeds)


def rejections(trial: Trial, canaries: int, jobs: int = 1) -> float:
    """The rejected part of *canaries* seeds."""
    if jobs == 1:
        return _count((trial, range(canaries))) / canaries
    parts = [(trial, range(start, min(start + 100, canaries))) for start in range(0, canaries, 100)]
    with ProcessPoolExecutor(jobs) as pool:
        return sum(pool.map(_count, parts)) / canaries


def good() -> Iterator[Trial]:
    """Good canaries: the usual traffic, several error rates, shares and numbers of looks."""
    yield Trial(0.01, 0.01, 20, 20)
    yield Trial(0.001, 0.001, 20, 20)
    yield Trial(0.05, 0.05, 50, 20)
    yield Trial(0.01, 0.01, 5, 20)
    yield Trial(0.01, 0.01, 20, 20, looks=20)
    yield Trial(0.01, 0.01, 20, 20, allowance=0.005)
    yield Trial(0.01, 0.01, 20, 20, allow=Allow.RELATIVE, allowance=0.1)


def newborn() -> Iterator[Trial]:
    """Good canaries of several shares; Prometheus misses the failure that stable's series begins with."""
    for share, looks in (
        (20, 1),
        (30, 1),
        (50, 1),
        (50, 2),
        (50, 3),
        (50, 5),
        (80, 1),
        (80, 2),
        (80, 3),
        (80, 5),
    ):
        yield Trial(0.01, 0.01, share, 20, looks, newborn=True)


def regressions() -> Iterator[Trial]:
    """The table of regressions, each with the traffic that brings the canary its requests in five looks, and one."""
    for base, bad, share in TABLE:
        for looks in (1, 5):
            requests = requests_needed(base, bad, share / 100)
            yield Trial(base, bad, share, requests / (share / 100 * WINDOW * looks * SPANNED), looks)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--canaries", type=int, default=10_000, help="of the default settings; a tenth of others"
    )
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    ok, few = True, given.canaries // 10
    print("good canaries: at most 5 % may be rejected")
    for number, trial in enumerate(good()):
        canaries = few if number else given.canaries
        part = rejections(trial, canaries, given.jobs)
        ok &= part <= 0.05
        print(f"  {_title(trial)}: {100 * part:.2f} % of {canaries}", flush=True)
    print("good canaries, where failures begin with the shift")
    for trial in newborn():
        print(f"  {_title(trial)}: {100 * rejections(trial, few, given.jobs):.2f} % of {few}", flush=True)
    print("regressions: rejected, within 5 points of the forecast")
    for trial in regressions():
        part = rejections(trial, few, given.jobs)
        ok &= abs(part - trial.forecast) <= 0.05
        print(
            f"  {_title(trial)}: {100 * part:.1f} % of {few}, forecast {100 * trial.forecast:.1f} %",
            flush=True,
        )
    return 0 if ok else 1


def _title(trial: Trial) -> str:
    allow = f", {trial.allow} {trial.allowance:g} allowed" if trial.allowance else ""
    return (
        f"{100 * trial.base:g} % -> {100 * trial.bad:g} %, canary {trial.share} % of {trial.rate:.1f}/s, "
        f"{trial.looks} looks{allow}"
    )


if __name__ == "__main__":
    sys.exit(_main())
