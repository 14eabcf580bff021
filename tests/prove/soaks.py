"""A soak of a day: credentials of a quarter of an hour, a Prometheus that comes and goes, API restarts, a laptop that sleeps.

The clocks change to summer time in the middle, and each process has a wall clock of its own: NTP may have put it
right since the last one began. Time passes as it does in `SystemClock`: wall time at the start, carried on steadily.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from runner.adapters.lease import ClusterLease, Target
from runner.conductor import Conductor, World
from runner.engine.actions import Stop
from runner.engine.events import MeasurementTaken, StageStarted, StageSucceeded
from runner.errors import RunnerError, TransientError
from runner.model.evidence import Answer, NoAnswer
from runner.model.playbook import Guard
from runner.model.stages import Stage, Wait
from runner.ports import Metrics
from runner.sandbox import VirtualClock
from tests.fakes.environment import set_to
from tests.prove.faults import Fate, Killed
from tests.prove.oracle import Violation
from tests.prove.simulation import Run, private_folder
from tests.prove.stories import GUARD, NS, PLAIN, STAGES, V3, Story

DAY = 86_400.0
BEFORE_SUMMER_TIME = 1_774_720_800.0  # 2026-03-28T18:00:00Z; seven hours later Berlin's clocks go forward
SLICE = 30.0  # seconds that a process sleeps at most before it looks around
TOKEN = 900.0  # seconds that a token is good for
STEPS = (-25.0, 0.0, 0.0, 20.0)  # seconds by which the wall clock is wrong; more than 30 the judge refuses
EVERY = 120.0
WATCH: Guard = replace(GUARD, every=EVERY, patience=3600.0)
LONG = replace(
    PLAIN,
    stages=(STAGES[0], Stage("soak", Wait(DAY)), *STAGES[2:]),
    guards=(WATCH,),
    deadline=5 * DAY,
)
STORY = Story("a day", LONG, None, V3, 0)
PROCESSES = 60  # that one soak may need


class Machine:
    """The laptop: it sleeps twice, and everything around it fails for a while, now and then."""

    def __init__(self, rng: random.Random, clock: VirtualClock) -> None:
        self.clock, began = clock, clock.now()
        moments = lambda count: [began + rng.uniform(600, DAY) for _ in range(count)]  # noqa: E731 - used thrice
        self.sleeps = sorted((at, rng.choice((600.0, 3600.0, 10_800.0))) for at in moments(2))
        self.restarts = [(at, at + rng.uniform(20, 180)) for at in moments(4)]
        self.flaps = [(at, at + rng.uniform(30, 900)) for at in moments(12)]
        self.renewed, self.forgets = began, rng.random() < 0.3
        self.slept = 0.0

    def pass_until(self, until: float) -> None:
        """Time passes; the lid may be shut meanwhile."""
        self.clock.sleep_until(min(until, self.clock.now() + SLICE))
        if self.sleeps and self.sleeps[0][0] <= self.clock.now():
            _, length = self.sleeps.pop(0)
            self.slept += length
            self.clock.sleep_until(self.clock.now() + length)

    def within(self, windows: list[tuple[float, float]]) -> bool:
        now = self.clock.now()
        return any(start <= now <= end for start, end in windows)

    def ask(self) -> None:
        """One call of the API, with a token that is renewed while somebody is awake to do it."""
        if self.within(self.restarts):
            raise TransientError("connection refused")
        if self.clock.now() - self.renewed > TOKEN and self.forgets:
            self.forgets = False
            raise RunnerError("401: the credentials have expired")
        self.renewed = self.clock.now()


@dataclass
class OwnClock:
    """The clock of one process: steady, and as wrong as the wall clock was when the process began."""

    machine: Machine
    offset: float

    def now(self) -> float:
        return round(self.machine.clock.now() + self.offset, 3)

    def sleep_until(self, until: float) -> None:
        self.machine.pass_until(until - self.offset)


class Calls:
    """The cluster behind a network that is sometimes away."""

    def __init__(self, inner: Any, machine: Machine) -> None:
        self._inner, self._machine = inner, machine

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._inner, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            self._machine.ask()
            return called(*args, **kwargs)

        return asked


@dataclass
class Flapping:
    """A Prometheus that answers in the true time of the world, if at all."""

    inner: Metrics
    machine: Machine

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        if self.machine.within(self.machine.flaps):
            return NoAnswer("connection refused")
        return self.inner.query(expression, self.machine.clock.now())


class DayRun(Run):
    """A run on that machine; every process has a clock and a lease of its own."""

    def on(self, machine: Machine) -> "DayRun":
        self.machine, self.wall = machine, 0.0
        return self

    def step(self) -> None:
        """NTP puts the wall clock right, or wrong."""
        self.wall = self.fate.rng.choice(STEPS)

    def _conductor(self, journal: Any, past: tuple[Any, ...]) -> Conductor:
        conductor = super()._conductor(journal, past)
        calls, clock = Calls(self.cluster, self.machine), OwnClock(self.machine, self.wall)
        lease = ClusterLease(
            Calls(self.sandbox.cluster, self.machine), clock, f"r1@laptop/{self.processes}/a"
        )
        lease.acquire([Target(NS, "reviews")], above=self.processes)
        metrics = Flapping(self.sandbox.metrics, self.machine)
        world: World = replace(conductor.world, cluster=calls, clock=clock, metrics=metrics, lease=lease)
        return Conductor(conductor.state, world)


@contextmanager
def _in_berlin() -> Iterator[None]:
    """A process whose local time goes forward by an hour."""
    try:
        with set_to(TZ="Europe/Berlin"):
            time.tzset()
            yield
    finally:
        time.tzset()


def soaked(seed: int) -> dict[str, float]:
    """A day of *seed*; Violation unless it ends well, with a soak that was never shorter than asked."""
    rng = random.Random(seed)
    with _in_berlin(), private_folder() as folder:
        fate = Fate(rng, {"crash": rng.choice((0.0, 0.0002))}, left=5)
        run = DayRun(STORY, fate, folder, seed=seed, start=BEFORE_SUMMER_TIME)
        run.on(Machine(rng, run.sandbox.clock))
        began = run.sandbox.clock.now()
        stop = _to_the_end(run)
        if stop.code != 0 or run.oracle.weights_of(run.live()) != V3:
            raise Violation(f"ended with {stop.code}: {stop.reason}")
        _soaked_enough(run)
        return {"simulated days": (run.sandbox.clock.now() - began) / DAY, "processes": float(run.processes)}


def _to_the_end(run: DayRun) -> Stop:
    """Whoever stops for want of credentials logs in; whoever died is started anew."""
    for _ in range(PROCESSES):
        try:
            stop = run.process()
        except Killed:
            stop = None
        if run.over() and stop is not None:
            return stop
        if stop is not None and stop.code not in (1, 6):
            return stop
        run.step()
        run.sandbox.clock.sleep_until(run.sandbox.clock.now() + run.fate.rng.choice((5.0, 60.0, 1800.0)))
    raise Violation("the soak never ended")


def _soaked_enough(run: DayRun) -> None:
    """By the run's own record the wait was whole, and somebody looked in it."""
    journal = run.oracle.journal
    started = max(e.at for e in journal if isinstance(e, StageStarted) and e.stage == "soak")
    ended = next(e.at for e in journal if isinstance(e, StageSucceeded) and e.stage == "soak")
    if ended - started < DAY - 0.01:
        raise Violation(f"soaked for {ended - started:.0f} s")
    looks = sum(isinstance(e, MeasurementTaken) and started <= e.at <= ended for e in journal)
    least = (ended - started - run.machine.slept) / EVERY * 0.5
    if looks < least:
        raise Violation(f"the guard looked {looks} times in a day, at least {least:.0f} were due")
