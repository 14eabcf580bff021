"""Runs that compete over one cluster with real leases: different runs, and two processes of the same one.

Each has a clock of its own, hours away from the other's. Whoever sleeps or waits lets the others play; one may
fall asleep in the middle of a write, for longer than its lease lasts.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from runner.adapters.lease import DURATION, ClusterLease, Target
from runner.conductor import Conductor, World
from runner.engine.events import RunFinished, RunResumed, RunStarted
from runner.engine.evolve import replay
from runner.engine.state import begin
from runner.errors import RunnerError
from runner.journal.configmap import ConfigMapJournal
from runner.journal.parts import ConfigMapName, Parts
from runner.model.stages import KubeObject
from runner.routers import istio
from runner.routers.marker import marker_of
from runner.sandbox import open_world
from runner.stages.kinds import compile_playbook
from runner.stages.meeting import meet
from runner.stages.sealing import seal
from runner.stages.shift import live
from tests.prove.oracle import Violation
from tests.prove.stories import NS, STORIES

START = 946_684_800.0
TURNS = 600
SLICE = 5.0  # seconds that a sleep lasts at most before the others have a turn
ALIVE = DURATION - 12.0  # seconds of silence after which nobody may be surprised to have lost a lease


class Ring:
    """Everybody who plays, and whose turn it is."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.story = STORIES[self.rng.choice((0, 0, 1, 5))]
        self.sandbox = open_world(self.story.playbook, self.story.scenario, seed=seed, start=START)
        self.epoch = 0
        self.contenders: list[Contender] = []
        self.busy: set[int] = set()

    def others_play(self, me: "Contender", turns: int) -> None:
        """Others have *turns* between them, each not in the middle of one already."""
        for _ in range(turns):
            free = [c for c in self.contenders if c is not me and not c.over and id(c) not in self.busy]
            if not free:
                return
            self.step(self.rng.choice(free))

    def step(self, contender: "Contender") -> None:
        """One turn of one contender."""
        self.busy.add(id(contender))
        try:
            contender.step()
        finally:
            self.busy.discard(id(contender))


@dataclass
class OwnClock:
    """A clock that is wrong by *offset*, and whose owner sleeps in slices."""

    ring: Ring
    offset: float
    owner: "Contender | None" = None

    def now(self) -> float:
        return round(self.ring.sandbox.clock.now() + self.offset, 3)

    def sleep_until(self, until: float) -> None:
        clock = self.ring.sandbox.clock
        clock.sleep_until(min(until - self.offset, clock.now() + SLICE))
        if self.owner is not None:
            self.ring.others_play(self.owner, self.ring.rng.randint(0, 3))


class Watched:
    """The cluster as one contender uses it; every write is looked at."""

    def __init__(self, ring: Ring, owner: "Contender") -> None:
        self._ring, self._owner = ring, owner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ring.sandbox.cluster, name)

    def replace(self, changed: KubeObject) -> KubeObject:
        if changed["kind"] == "VirtualService" and self._ring.rng.random() < self._owner.sleepy:
            self._owner.sleeps()
        before = self._ring.sandbox.cluster.get(_ref(changed))
        written = self._ring.sandbox.cluster.replace(changed)
        if changed["kind"] == "VirtualService":
            self._owner.wrote(before, written)
        return written


def _ref(found: KubeObject) -> Any:
    from runner.stages.writing import ref_of

    return ref_of(found)


class Silence:
    """Nobody says anything."""

    def poll(self) -> list[Any]:
        return []


@dataclass
class Contender:
    """One process of one run."""

    ring: Ring
    run: str
    number: int
    sleepy: float
    clock: OwnClock
    over: bool = False
    code: int | None = None
    conductor: Conductor | None = None
    journal: Any = None
    lease: Any = None
    slept: float = 0.0
    acted: float = field(default=START)

    def step(self) -> None:
        """Begin, or take one turn."""
        try:
            self._turn()
        except RunnerError as error:
            self._ends(int(error.exit_code), error.message)
        self._acts()

    def _acts(self) -> None:
        """Since its last act it has been silent, whether it waited for its turn or in the middle of one."""
        now = self.ring.sandbox.clock.now()
        self.slept, self.acted = max(self.slept, now - self.acted), now

    def _turn(self) -> None:
        if self.conductor is None:
            self._begin()
            return
        stop = self.conductor.turn()
        if stop is not None:
            self._ends(stop.code, stop.reason)

    def _begin(self) -> None:
        cluster, playbook = Watched(self.ring, self), self.ring.story.playbook
        place, past = ConfigMapName(NS, f"runner-{self.run}"), ()
        if cluster.get(place.part(0)) is None:
            first = RunStarted(self.clock.now(), {}, {}, {}, {}, "digest")
            self.journal, _ = ConfigMapJournal.create(cluster, self.clock, place, self.run, first)
            past = (first,)
        else:
            self.journal, record = ConfigMapJournal.resume(cluster, place)
            past = record.events
            if isinstance(past[-1], RunFinished):
                self.over = True
                return
        self.lease = ClusterLease(cluster, self.clock, f"{self.run}@host-{self.number}/1/abcd")
        found = live(cluster, playbook.routes[0])
        marker = marker_of(found) if found is not None else None
        self.lease.acquire([Target(NS, "reviews")], above=marker.epoch if marker else 0)
        world = World(
            cluster,
            self.ring.sandbox.metrics,
            self.clock,
            self.journal,
            Silence(),
            self.lease,
            (self.ring.sandbox,),
        )
        program = compile_playbook(self.run, playbook)
        self.conductor = Conductor(replay(begin(program), past), world)
        if len(past) > 1:
            self.conductor.record(RunResumed(self.clock.now(), f"host-{self.number}"))
            seal(cluster, playbook, self.run, self.lease.epoch, past)
            self.conductor.look_around()
        self.slept, self.acted = 0.0, self.ring.sandbox.clock.now()

    def _ends(self, code: int, reason: str) -> None:
        self._acts()
        self.over, self.code = True, code
        taken = "took over the lease" in reason
        if taken and self.slept < ALIVE:
            raise Violation(f"{self.run}/{self.number} was awake, and lost its lease: {reason}")
        if code not in (0, 1, 3, 5, 6, 7):
            raise Violation(f"{self.run}/{self.number} ended with {code}: {reason}")
        if self.lease is not None:
            self.lease.release()

    def sleeps(self) -> None:
        """The process stands still, as a laptop does, and the others go on."""
        began = self.ring.sandbox.clock.now()
        self.ring.sandbox.clock.sleep_until(began + self.ring.rng.choice((5.0, 45.0, 300.0)))
        self.ring.others_play(self, self.ring.rng.randint(1, 60))
        self.slept = max(self.slept, self.ring.sandbox.clock.now() - began)

    def wrote(self, before: KubeObject | None, written: KubeObject) -> None:
        """P5: nobody writes after a successor has; nobody writes over a run that is not over."""
        marker = marker_of(written)
        if marker is None:
            return
        if marker.epoch < self.ring.epoch:
            raise Violation(f"P5: {self.run} wrote with epoch {marker.epoch} after epoch {self.ring.epoch}")
        self.ring.epoch = marker.epoch
        earlier = marker_of(before) if before is not None else None
        if before is None or earlier is None or earlier.run == self.run:
            return
        left = istio.read(before, self.ring.story.playbook.routes[0])
        if earlier.safe != left:
            raise Violation(f"P4: {self.run} wrote over {left}, where {earlier.run} had left it unfinished")


def contended(seed: int) -> None:
    """Two or three contenders of one or two runs until all are over, and what they leave behind."""
    ring = Ring(seed)
    same = ring.rng.random() < 0.5
    for number in range(ring.rng.choice((2, 2, 3))):
        clock = OwnClock(ring, ring.rng.choice((0.0, -7200.0, 7200.0, 31.0)))
        run = "r1" if same else f"r{number + 1}"
        clock.owner = Contender(ring, run, number, ring.rng.choice((0.0, 0.3)), clock)
        ring.contenders.append(clock.owner)
    for _ in range(TURNS):
        living = [contender for contender in ring.contenders if not contender.over]
        if not living:
            break
        ring.step(ring.rng.choice(living))
    _leaves_order_behind(ring)


def _leaves_order_behind(ring: Ring) -> None:
    """Every journal is whole, and an undecided route has an unfinished run that answers for it."""
    finished = {}
    for run in {contender.run for contender in ring.contenders}:
        place = ConfigMapName(NS, f"runner-{run}")
        if ring.sandbox.cluster.get(place.part(0)) is not None:
            finished[run] = isinstance(Parts(ring.sandbox.cluster, place).read()[0].events[-1], RunFinished)
    met = meet(ring.sandbox.cluster, ring.story.playbook.routes[0], "")
    if met.split is not None and met.split["v3"] not in (0, 100) and met.unfinished is None:
        raise Violation(f"left at {met.split}, and nobody answers for it")
    if met.unfinished is not None and finished.get(met.unfinished):
        raise Violation(f"{met.unfinished} is finished, and its route stands at {met.split}")
    codes = [contender.code for contender in ring.contenders]
    # Processes of one run may each find that another has written to its journal: all stop, and say so.
    # So may runs, when one lost its lease in the middle of a write that took place all the same.
    slept = any(contender.conductor is not None and contender.slept >= ALIVE for contender in ring.contenders)
    over = all(contender.over for contender in ring.contenders)
    if len(finished) > 1 and over and not slept and not {0, 3} & set(codes):
        raise Violation(f"nobody finished: {[(c.run, c.code) for c in ring.contenders]}")
