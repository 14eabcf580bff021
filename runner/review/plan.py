"""What a run of a playbook would do to the cluster as it is: made by reading and dry runs alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.engine.forecast import Assumed, Forecast, forecast
from runner.errors import ExitCode, RunnerError
from runner.model.playbook import Playbook
from runner.model.scenario import TRAFFIC
from runner.model.stages import KubeObject, Stage
from runner.ports import Cluster, Metrics, ObjectRef, Permission
from runner.review.paper import PaperCluster
from runner.review.traffic import live_rate
from runner.review.walk import Problem, Seen, walk
from runner.stages.meeting import Met, meet
from runner.stages.shift import live


@dataclass(frozen=True, slots=True)
class Site:
    """Where the run would take place, read-only; *missing* are the permissions that it does not have there."""

    cluster: Cluster
    metrics: Metrics
    now: float
    target: Mapping[str, Any]
    missing: Sequence[Permission] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """What the forecast is told: requests a second by route, before anything measured; stable's error rate."""

    said: Mapping[str, float] = field(default_factory=dict)
    base: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second of one route, and where the figure comes from; *why* nothing was measured, if so."""

    route: str
    rate: float
    measured: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that can be said about a run before it is played, on a cluster as it was at that moment.

    *met* is what was found at each route, *looked* are the live objects that the plan rests on.
    """

    playbook: Playbook
    target: Mapping[str, Any]
    met: Mapping[str, Met]
    seen: Mapping[str, Seen]
    problems: tuple[Problem, ...]
    missing: tuple[Permission, ...]
    loads: tuple[Load, ...]
    forecast: Forecast
    looked: Mapping[ObjectRef, KubeObject | None]
    assumptions: tuple[str, ...]

    @property
    def code(self) -> ExitCode:
        """0, or the exit code of what would stop the run first."""
        if self.problems:
            return ExitCode(self.problems[0].code)
        return ExitCode.ERROR if self.missing else ExitCode.OK

    def of(self, stage: Stage) -> Seen:
        """What would happen in *stage*."""
        return self.seen.get(stage.name, Seen())


def make_plan(playbook: Playbook, site: Site, guess: Guess, *, accept_live: bool = False) -> Plan:
    """The plan of *playbook* at *site*. TransientError where the cluster cannot be reached."""
    paper = PaperCluster(site.cluster)
    met = {route.name: _met(paper, playbook, route.name) for route in playbook.routes}
    gone_through = walk(playbook, paper, accept_live=accept_live)
    loads = tuple(_load(site, paper, playbook, name, guess) for name in met)
    traffic = {load.route: load.rate for load in loads}
    assumed = Assumed(traffic) if guess.base is None else Assumed(traffic, guess.base)
    return Plan(
        playbook=playbook,
        target=site.target,
        met=met,
        seen=gone_through.seen,
        problems=gone_through.problems,
        missing=tuple(site.missing),
        loads=loads,
        forecast=forecast(playbook, assumed),
        looked=dict(paper.looked),
        assumptions=site.assumptions,
    )


def _met(paper: PaperCluster, playbook: Playbook, name: str) -> Met:
    """A split that cannot be read is said by the stage that first needs it."""
    try:
        return meet(paper, playbook.route(name), "")
    except RunnerError as error:
        if error.exit_code is not ExitCode.ERROR:
            raise
        return Met(None, None)


def _load(site: Site, paper: PaperCluster, playbook: Playbook, name: str, guess: Guess) -> Load:
    if name in guess.said:
        return Load(name, guess.said[name], measured=False)
    route = playbook.route(name)
    try:
        rate = live_rate(site.metrics, site.now, route, live(paper, route))
    except RunnerError as error:
        rate = error.message
    if isinstance(rate, str):
        return Load(name, TRAFFIC, measured=False, why=rate)
    return Load(name, rate, measured=True)
