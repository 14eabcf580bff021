"""A cluster, a metrics source, a clock, a journal, orders and a lease, in memory."""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.engine.events import Event
from runner.engine.observations import Interrupted, Order
from runner.errors import ConflictError
from runner.journal.codec import Link, encode
from runner.model.evidence import Answer, NoAnswer, Sample
from runner.model.stages import KubeObject
from runner.ports import ObjectRef

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z

EDITED = ({"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T12:03:00Z"},)


class FakeCluster:
    """Objects by kind, namespace and name, with a resourceVersion that every write moves."""

    def __init__(self, *objects: KubeObject) -> None:
        self._versions = itertools.count(1)
        self._objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.writes: list[tuple[str, str]] = []
        self.before: list[Callable[[str, str], None]] = []
        for found in objects:
            self._store(copy.deepcopy(dict(found)), "setup")

    def get(self, ref: ObjectRef) -> KubeObject | None:
        self._met("get", str(ref))
        return copy.deepcopy(self._objects.get((ref.kind, ref.namespace, ref.name)))

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        self._met("list", kind)
        return [
            copy.deepcopy(found)
            for (of, where, _), found in self._objects.items()
            if of == kind
            and where == namespace
            and labels.items() <= (found["metadata"].get("labels") or {}).items()
        ]

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        ref = self._key(manifest)
        self._met("apply", f"{ref[0]}/{ref[2]}")
        merged = {**self._objects.get(ref, {}), **copy.deepcopy(dict(manifest))}
        return merged if dry_run else self._store(merged, "apply")

    def create(self, manifest: KubeObject) -> KubeObject:
        ref = self._key(manifest)
        self._met("create", f"{ref[0]}/{ref[2]}")
        if ref in self._objects:
            raise ConflictError(f"{ref[0]} {ref[2]} already exists")
        return self._store(copy.deepcopy(dict(manifest)), "create")

    def replace(self, changed: KubeObject) -> KubeObject:
        ref = self._key(changed)
        self._met("replace", f"{ref[0]}/{ref[2]}")
        found = self._objects.get(ref)
        if found is None:
            raise ConflictError(f"{ref[0]} {ref[2]} is gone")
        if changed["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            raise ConflictError("the object has been modified")
        return self._store(copy.deepcopy(dict(changed)), "replace")

    def edit(
        self,
        kind: str,
        namespace: str,
        name: str,
        change: Callable[[dict[str, Any]], None],
        managed: Sequence[Mapping[str, Any]] = EDITED,
    ) -> None:
        """Somebody else changes an object, which says so in its *managed* fields."""
        found = self._objects[(kind, namespace, name)]
        change(found)
        found["metadata"]["managedFields"] = list(managed)
        found["metadata"]["resourceVersion"] = str(next(self._versions))

    def weights(self, namespace: str, name: str) -> dict[str, int]:
        """The weights of the first http route of a VirtualService."""
        routes = self._objects[("VirtualService", namespace, name)]["spec"]["http"][0]["route"]
        return {item["destination"]["subset"]: item.get("weight", 100) for item in routes}

    def _met(self, verb: str, what: str) -> None:
        for hook in self.before:
            hook(verb, what)

    def _store(self, found: dict[str, Any], verb: str) -> KubeObject:
        ref = self._key(found)
        found["metadata"] = {**found["metadata"], "resourceVersion": str(next(self._versions))}
        self._objects[ref] = found
        if verb != "setup":
            self.writes.append((verb, f"{ref[0]}/{ref[2]}"))
        return copy.deepcopy(found)

    @staticmethod
    def _key(found: KubeObject) -> tuple[str, str, str]:
        return found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"]


class FakeMetrics:
    """Answers with what a function of (expression, time) says: a number, None for no series, or a reason."""

    def __init__(self, answer: Callable[[str, float], float | str | None]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, float]] = []

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        self.asked.append((expression, at))
        value = self.answer(expression, at)
        if isinstance(value, str):
            return NoAnswer(value)
        return Answer(() if value is None else (Sample({}, value, at),))


class FakeClock:
    """Jumps."""

    def __init__(self, now: float = NOON) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def sleep_until(self, until: float) -> None:
        self.time = max(self.time, round(until + 0.0005, 3))


class MemoryJournal:
    """Keeps events, and dies on demand: *deaths* are called with every batch before it is kept."""

    def __init__(self, run: str = "r1") -> None:
        self.events: list[Event] = []
        self.link = Link(run)

    def append(self, events: Sequence[Event]) -> list[str]:
        lines = []
        for event in events:
            line, self.link = encode(event, self.link)
            self.events.append(event)
            lines.append(line)
        return lines


class ScriptedOrders:
    """Orders and signals that come when their time has come."""

    def __init__(self, clock: FakeClock, *script: tuple[float, Order | Interrupted]) -> None:
        self.clock, self.script = clock, list(script)

    def poll(self) -> Sequence[Order | Interrupted]:
        due = [word for at, word in self.script if at <= self.clock.time]
        self.script = [(at, word) for at, word in self.script if at > self.clock.time]
        return due


class FreeLease:
    """Always ours."""

    epoch = 1

    def renew(self) -> None:
        pass

    def release(self) -> None:
        pass
