"""One integer, one history: a release that is killed, cut off, misled and edited, until it ends."""

import json
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.conductor import Conductor, World
from runner.engine.actions import Stop
from runner.engine.coherence import contradiction
from runner.engine.events import RunResumed, RunStarted
from runner.engine.evolve import replay
from runner.engine.observations import Order, OrderKind
from runner.engine.state import begin
from runner.errors import RunnerError
from runner.journal import JournalFile
from runner.journal.finding import finished
from runner.model.stages import KubeObject
from runner.ports import Metrics, ObjectRef
from runner.sandbox import World as Sandbox
from runner.sandbox import open_world
from runner.stages.kinds import compile_playbook
from runner.stages.sealing import seal
from tests.prove.faults import (
    Disk,
    Fate,
    FaultyCluster,
    FaultyJournal,
    FaultyMetrics,
    Killed,
    NobodyElse,
    fate_of,
)
from tests.prove.oracle import Oracle, Violation
from tests.prove.stories import NS, SERVICE, STORIES, V1, Story

START = 946_684_800.0  # 2000-01-01T00:00:00Z
SHELF = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
LONGEST = 400  # processes that one history may need
PATIENT = 10  # times that somebody resumes a run that stops with the same words
REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", NS, "reviews")


class Words:
    """Orders that come when the history says so."""

    def __init__(self) -> None:
        self.due: list[Order] = []

    def poll(self) -> list[Order]:
        words, self.due = self.due, []
        return words


@dataclass
class History:
    """What one integer came to."""

    seed: int
    story: str
    code: int = -1
    outcome: str = ""
    crashes: int = 0
    effects: int = 0
    days: float = 0.0
    struck: dict[str, int] = field(default_factory=dict)
    impatient: bool = False  # somebody was refused so often that they went back
    weights: dict[str, int] = field(default_factory=dict)


class Run:
    """A run in its world, across as many processes as it takes."""

    def __init__(
        self, story: Story, fate: Fate, folder: Path, *, seed: int = 1, start: float = START
    ) -> None:
        self.story, self.fate, self.folder = story, fate, folder
        self.sandbox: Sandbox = open_world(story.playbook, story.scenario, seed=seed, start=start)
        self.oracle = Oracle(story.playbook, V1)
        self.program = compile_playbook("r1", story.playbook)
        self.words = Words()
        self.path = folder / "r1.jsonl"
        self.disk = Disk()
        self.processes = 0
        self.metrics: Metrics | None = None  # in place of the world's own
        self.cluster = FaultyCluster(self.sandbox.cluster, fate, self.edit, self.abort)
        self.cluster.wrote.append(self.oracle.wrote)
        self.cluster.looked.append(self.oracle.looked)

    def live(self) -> KubeObject:
        """The VirtualService as it stands; one that is not there yet gives everything to v1, as far as P3 goes."""
        return self.sandbox.cluster.get(REVIEWS) or SERVICE.object

    def edit(self) -> None:
        """Somebody moves the weights with kubectl."""
        found = self.sandbox.registry.find(self._key())
        if found is None:
            return
        weights = self.fate.rng.choice(({"v1": 60, "v3": 40}, {"v1": 100}, {"v1": 10, "v3": 90}))
        route = [{"destination": {"host": "reviews", "subset": n}, "weight": w} for n, w in weights.items()]
        http = [{**found["spec"]["http"][0], "route": route}, *found["spec"]["http"][1:]]
        now = self.sandbox.present()
        self.sandbox.registry.update(now, {**found, "spec": {**found["spec"], "http": http}}, "kubectl-edit")
        self.oracle.edited(weights)

    def rehost(self) -> None:
        """Somebody sends the same shares to another service."""
        found = self.sandbox.registry.find(self._key())
        if found is None:
            return
        http = json.loads(json.dumps(found["spec"]["http"]))
        for item in http[0]["route"]:
            item["destination"]["host"] = "ratings"
        now = self.sandbox.present()
        self.sandbox.registry.update(now, {**found, "spec": {**found["spec"], "http": http}}, "kubectl-edit")
        self.oracle.rehosted()

    def abort(self) -> None:
        """Somebody stops the release."""
        self.words.due.append(Order(OrderKind.ABORT, "ann"))

    def _key(self) -> Any:
        from runner.sandbox.kinds import ISTIO, Key

        return Key(ISTIO, "VirtualService", NS, "reviews")

    def process(self) -> Stop | None:
        """One process: begins or resumes the run and plays until it stands still; None when it was killed."""
        journal = None
        try:
            journal, past = self.opened()
            return self.begun(journal, past).play()
        except Killed:
            return None
        except RunnerError as error:
            return Stop(int(error.exit_code), error.message)
        finally:
            if journal is not None:
                journal.inner.close()

    def begun(self, journal: FaultyJournal, past: tuple[Any, ...]) -> Conductor:
        """A process that has taken the run up, or begun it, and has yet to play."""
        conductor = self._conductor(journal, past)
        if past:
            conductor.record(RunResumed(self.sandbox.clock.now(), "prove"))
            seal(self.cluster, self.story.playbook, "r1", self.processes, past)
            if not self.words.due:
                conductor.look_around()
        return conductor

    def opened(self) -> tuple[FaultyJournal, tuple[Any, ...]]:
        """The state file for one more process, and what it says; LockedError while another holds it."""
        self.processes += 1
        if self.path.exists():
            inner, record = JournalFile.resume(self.path)
            self.disk.safe, self.disk.named = self.path.stat().st_size, True
            self.oracle.journal = list(record.events)
            past = record.events
            if (number := contradiction(self.program, past)) is not None:
                raise Violation(f"event {number} of the journal contradicts those before it")
        else:
            first = RunStarted(self.sandbox.clock.now(), {}, {}, {}, {}, "digest")
            inner = self.disk.creating(lambda: JournalFile.create(self.path, "r1", first)[0])
            if self.fate.strikes("crash"):
                inner.close()
                self.disk.power_fails(self.path)
                raise Killed
            self.oracle.journal = [first]
            past = ()
        journal = FaultyJournal(inner, self.fate, self.disk)
        journal.appended.append(self.oracle.appended)
        return journal, past

    def _conductor(self, journal: FaultyJournal, past: tuple[Any, ...]) -> Conductor:
        events = past or tuple(self.oracle.journal)
        for event in events:
            self.sandbox.heard(event)
        world = World(
            cluster=self.cluster,
            metrics=FaultyMetrics(self.metrics or self.sandbox.metrics, self.fate),
            clock=self.sandbox.clock,
            journal=journal,
            orders=self.words,
            lease=NobodyElse(self.processes),
            listeners=(self.sandbox,),
        )
        return Conductor(replay(begin(self.program), events), world)

    def over(self) -> bool:
        """Whether the run has had its last word."""
        return self.path.exists() and finished(JournalFile_read(self.path))


def JournalFile_read(path: Path) -> Any:
    """The record of *path*."""
    from runner.journal import read

    return read(path)


def play(
    seed: int, *, story: Story | None = None, fate: Fate | None = None, made: type[Run] = Run
) -> History:
    """Play the history of *seed* to its end. Violation where a promise breaks."""
    fate = fate or fate_of(seed)
    story = story or STORIES[seed % len(STORIES)]
    with private_folder() as folder:
        run = made(story, fate, folder, seed=seed)
        history = History(seed, story.name)
        stop = _to_the_end(run, history)
        history.code, history.struck = stop.code, fate.struck
        history.outcome = _outcome(run)
        history.effects = run.oracle.writes
        history.days = (run.sandbox.clock.now() - START) / 86400
        history.weights = run.oracle.weights_of(run.live())
        _judge_end(run, history, stop)
        return history


def _outcome(run: Run) -> str:
    last = run.oracle.journal[-1] if run.oracle.journal else None
    return str(getattr(last, "outcome", ""))


def _to_the_end(run: Run, history: History) -> Stop:
    """Processes come and go; one that only stopped is taken up again, as a person would.

    Who hears the same refusal again and again goes back.
    """
    heard: Counter[str] = Counter()
    for _ in range(LONGEST):
        stop = run.process()
        if stop is None:
            history.crashes += 1
            _downtime(run)
            continue
        run.oracle.ended(stop.code, run.live(), run.story.goal)
        if stop.code in (5, 7) or run.over():
            return stop
        heard[stop.reason] += 1
        if heard[stop.reason] % PATIENT == 0:
            run.words.due.append(Order(OrderKind.ROLLBACK, "ann"))
            history.impatient = True
        _downtime(run)
    raise Violation(f"seed {history.seed}: the run never ended")


def _downtime(run: Run) -> None:
    """Nobody plays for a while: seconds, or days."""
    if run.fate.strikes("jump"):
        run.sandbox.clock.sleep_until(run.sandbox.clock.now() + run.fate.rng.choice((30.0, 600.0, 90_000.0)))


def _judge_end(run: Run, history: History, stop: Stop) -> None:
    """P6: without people beside it, and within patience, a run ends where an undisturbed one ends."""
    run.oracle.ended(stop.code, run.live(), run.story.goal)
    disturbed = history.impatient or {"human", "jump", "blind", "odd", "order"} & set(history.struck)
    if not disturbed and (history.weights, stop.code) != (dict(run.story.goal), run.story.code):
        raise Violation(
            f"P6: ended with {stop.code} at {history.weights}, undisturbed it is {run.story.code} at {run.story.goal}:"
            f" {stop.reason}"
        )


class private_folder:
    """A folder in memory that goes away."""

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix="prove-", dir=SHELF))
        return self._path

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            shutil.rmtree(self._path)
