"""One world: objects, mesh, metrics and time, moved on by effects and by nothing else."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runner.engine.events import Event, StageStarted
from runner.engine.observations import Observation
from runner.errors import RunnerError
from runner.model.evidence import Answer, NoAnswer
from runner.model.scenario import Edit, Gone, MetricsFault, NotReady, When
from runner.model.stages import KubeObject
from runner.ports import ObjectRef
from runner.promql import MemoryStorage
from runner.sandbox import log as effects
from runner.sandbox.agenda import Agenda
from runner.sandbox.chance import fraction
from runner.sandbox.clock import VirtualClock, to_ms
from runner.sandbox.cluster import SandboxCluster, perform, said, with_fault
from runner.sandbox.defaults import Body
from runner.sandbox.faults import Faults
from runner.sandbox.kinds import Key
from runner.sandbox.mesh import Mesh
from runner.sandbox.people import edit, in_namespace
from runner.sandbox.registry import Registry
from runner.sandbox.scrapes import Lives, Prometheus
from runner.sandbox.setup import HISTORY, Setup, decode, encode, plain
from runner.sandbox.telemetry import istio_families, own_family
from runner.sandbox.traffic import Ledger, Stretch, Tally, tallied
from runner.sandbox.workloads import Workloads

ASLEEP = 31 * 24 * 3600.0  # seconds between two effects of a play: every request in between is drawn
SETTLING = 60_000  # milliseconds before its history that a world is made, so that its pods are ready
ROUTING = frozenset({"VirtualService", "DestinationRule", "Gateway", "Service", "Pod"})


class SandboxMetrics:
    """The Metrics port of a world."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        """What the world's Prometheus says of *expression* at Unix time *at*."""
        return self._world.prometheus.answer(expression, at, self._world.present())


class World:
    """A cluster with a mesh and a Prometheus in virtual time: ports `cluster`, `metrics` and `clock`.

    Everything in it follows from its setup and its effects with their times. Reading moves nothing: what
    happens by itself happens in the order of time, however late somebody looks.
    """

    def __init__(self, setup: Setup, clock: VirtualClock, log: effects.EffectLog | None = None) -> None:
        start = to_ms(setup.start)
        interval = round(setup.scrape * 1000)
        phase = int(fraction(setup.seed, "scrape phase") * interval)
        self.setup = setup
        self.clock = clock
        self.registry = Registry(setup.seed)
        self.faults = Faults()
        self.cluster = SandboxCluster(self)
        self.metrics = SandboxMetrics(self)
        self._log = log
        self._agenda = Agenda()
        self._streams = {stream.name: stream for stream in setup.streams}
        self._open: set[str] = set()
        self._stages: set[str] = set()
        self._dirty = True
        self._lives = Lives()
        self._mesh = Mesh(self.registry, self.faults)
        self.registry.watch(self._changed)
        self._workloads = Workloads(setup.seed, self._mesh, self._agenda, setup.streams)
        self._ledger = Ledger(setup.seed, start - HISTORY * 1000 + phase, interval)
        self._ledger.cut(start)
        self.prometheus = self._prometheus()
        self._furnish(start - HISTORY * 1000 - SETTLING)
        self._schedule(None, start)

    @classmethod
    def begin(cls, setup: Setup, clock: VirtualClock, path: Path | None = None) -> "World":
        """A new world; with *path* its effects are kept there. RunnerError where it cannot be written."""
        return cls(setup, clock, effects.begin(path, encode(setup)) if path else None)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: float | None = None,
        speed: float | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> "World":
        """The world kept at *path*, as it was. Its time goes on at *now*, or at its last effect.

        DisagreementError where the file cannot be read, or holds what no world was made from.
        """
        log, first, lines = effects.read(path)
        try:
            setup: Setup = decode(first)
            world = cls(setup, VirtualClock(setup.start, speed=speed, sleep=sleep))
            for line in lines:
                world._replay(line)
        except effects.NONSENSE as error:
            raise effects.damaged(path) from error
        then = now if now is not None else setup.start
        if then - world.clock.now() > ASLEEP:
            raise effects.damaged(path, "the state file goes on long after its last effect")
        world.clock.set(then)
        world._log = log
        return world

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, a sentence each."""
        return self.setup.assumptions

    def produced(self) -> frozenset[str]:
        """Every metric that this world produces; a query over another one has never been rehearsed."""
        return self.prometheus.names

    def witness(self, ref: ObjectRef) -> KubeObject | None:
        """The object as it is, whatever goes wrong with the API server. RunnerError for an unknown kind."""
        self.present()
        kind = self.registry.kind(ref.api_version, ref.kind)
        namespace = ref.namespace if kind.namespaced else ""
        return self.registry.shown(Key(kind.group, kind.kind, namespace, ref.name), ref.api_version)

    def present(self) -> int:
        """Let everything happen that is due, and say what time it is, in milliseconds."""
        self._advance(self.clock.ms)
        return self.clock.ms

    def effect(self, verb: str, manifest: KubeObject, *, force: bool) -> Body:
        """Write a client's write down, then do it. Raises what the API server answers."""
        now = self.present()
        asked = plain(manifest)
        self._keep({"at": now, "op": verb, "force": force, "object": asked})
        return self._perform(now, verb, asked, force=force)

    def heard(self, event: Event, line: str = "") -> None:  # noqa: ARG002 - the Listener port
        """Learn where the run stands: scenarios speak of its stages."""
        if isinstance(event, StageStarted) and event.stage not in self._stages:
            at = max(to_ms(event.at), self.present())
            self._keep({"at": at, "op": "stage", "stage": event.stage})
            self._begun(at, event.stage)

    def noticed(self, observation: Observation) -> None:
        """What the run notices happens in this world anyway."""

    def tick(self, now: float) -> None:
        """Nothing in a world depends on being looked at."""

    def tally(self, since: float | None = None, until: float | None = None) -> Tally:
        """What users have seen between two Unix times: from the start, and until now, where not given.

        A stretch of time counts if it begins in between; stretches end at scrapes and at changes of the mesh.
        """
        now = self.present()
        begin = to_ms(self.setup.start if since is None else since)
        end = min(now, now if until is None else to_ms(until))
        open_end = self._ledger.begun(end)
        stretches = (*self._ledger.stretches, *open_end)
        chosen: Iterator[Stretch] = (s for s in stretches if begin <= s.start < end)
        return tallied(chosen, {name: stream.canary for name, stream in self._streams.items()})

    def close(self) -> None:
        """Let go of the file."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _prometheus(self) -> Prometheus:
        storage = MemoryStorage()
        seed = self.setup.seed
        own = (own_family(seed, storage, self._streams, rule) for rule in self.setup.series)
        families = (*istio_families(seed, storage, self._streams), *own)
        return Prometheus(self._ledger, self._lives, storage, families)

    def _furnish(self, made: int) -> None:
        for manager, manifest in self.setup.objects:
            try:
                self._put(made, manager, manifest)
            except RunnerError as error:
                name = f"{manifest['kind']}/{manifest['metadata']['name']}"
                raise RunnerError(
                    f"the sandbox cannot begin with {name}: {error.message}",
                    hint="look at given.files of the scenario, or at this manifest of the playbook",
                ) from error
        self._refresh(made)
        self._advance(made + SETTLING)

    def _put(self, made: int, manager: str, manifest: KubeObject) -> None:
        placed = in_namespace(self.registry, plain(manifest), self.setup.namespace)
        if manager == "runner":
            self.registry.apply(made, placed, manager, force=True)
        else:
            self.registry.create(made, placed, manager)

    def _replay(self, line: Mapping[str, Any]) -> None:
        at = int(line["at"])
        if at / 1000 - self.clock.now() > ASLEEP:
            raise ValueError(at)
        self.clock.set(at / 1000)
        self._advance(at)
        if line["op"] == "stage":
            self._begun(at, str(line["stage"]))
            return
        with contextlib.suppress(RunnerError):
            self._perform(at, str(line["op"]), line["object"], force=bool(line["force"]))

    def _perform(self, now: int, verb: str, manifest: KubeObject, *, force: bool) -> Body:
        try:
            result: Body = with_fault(
                self.faults,
                verb,
                manifest,
                lambda: said(
                    verb, manifest, lambda: perform(self.registry, now, verb, manifest, force=force)
                ),
            )
        finally:
            self._refresh(now)
        return result

    def _keep(self, line: Mapping[str, Any]) -> None:
        if self._log is not None:
            self._log.append(line)

    def _begun(self, at: int, stage: str) -> None:
        self._stages.add(stage)
        self._schedule(stage, at)
        self._advance(at)

    def _schedule(self, stage: str | None, at: int) -> None:
        for when in self.setup.when:
            if when.stage == stage:
                self._agenda.at(at + round(when.after * 1000), partial(self._go_wrong, when))

    def _go_wrong(self, when: When, now: int) -> None:
        if isinstance(when.fault, Edit):
            stream = self._streams.get(when.route or next(iter(self._streams), ""))
            edit(self.registry, now, when.fault, stream, self.setup.namespace)
            return
        self.faults.begin(when)
        self._trouble_changed(now, when)
        if when.lasting is not None:
            self._agenda.at(now + round(when.lasting * 1000), partial(self._go_right, when))

    def _go_right(self, when: When, now: int) -> None:
        self.faults.end(when)
        self._trouble_changed(now, when)

    def _trouble_changed(self, now: int, when: When) -> None:
        self._dirty = True
        if isinstance(when.fault, MetricsFault):
            self.prometheus.history.change(now, self.faults.metrics())
        if isinstance(when.fault, NotReady | Gone):
            self._workloads.look(now)

    def _advance(self, until: int) -> None:
        while due := self._agenda.due(until):
            moment, happening = due
            happening(moment)
            self._refresh(moment)

    def _changed(self, now: int, key: Key, old: Body | None, new: Body | None) -> None:
        if key.kind in ROUTING:
            self._dirty = True
        if key.kind == "Pod":
            target = f"{key.namespace}/{key.name}"
            if old is None:
                self._lives.born[target] = now
            elif new is None:
                self._lives.died[target] = now

    def _refresh(self, now: int) -> None:
        """Let the mesh go as it is configured now. A stream begins once a pod could answer it."""
        if not self._dirty:
            return
        self._dirty = False
        for name, stream in self._streams.items():
            if name not in self._open and self._mesh.serves(stream):
                self._open.add(name)
            if name in self._open:
                self._ledger.change(name, now, self._mesh.flow(stream))
