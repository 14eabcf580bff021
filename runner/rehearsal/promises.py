"""What every run promises, held against the world after each of its events.

P1  The route holds weights that the playbook declares, or that were found there, and they add up to 100.
P2  The canary's weight never rises unless every verify since the last rise passed, on data newer than it.
P3  Exit 0 means that the goal was read back, exit 3 that the safe split was.
P4  A change that somebody else made is never overwritten silently.
"""

from collections.abc import Mapping, Sequence

from runner.engine.events import (
    EffectIntended,
    Event,
    MeasurementTaken,
    RollbackStarted,
    RunFinished,
    SplitChanged,
    StageStarted,
    StageSucceeded,
)
from runner.engine.observations import Observation
from runner.errors import RunnerError
from runner.model.checks import Verdict
from runner.model.playbook import Playbook, Route
from runner.model.split import Split, canary_split
from runner.model.stages import KubeObject, Promote, Shift, Verify
from runner.ports import Cluster, ObjectRef
from runner.rehearsal.place import Place
from runner.routers import istio
from runner.stages.shift import service_ref


class Promises:
    """Listens to one run and writes down every promise that it breaks."""

    def __init__(self, playbook: Playbook, place: Place) -> None:
        self._playbook = playbook
        self._place = place
        self._verifies = {stage.name for stage in playbook.stages if isinstance(stage.kind, Verify)}
        self._open: dict[str, float] = {}
        self._rises: dict[str, float] = {}
        self._recorded: dict[str, Split] = {}
        self._safe: Mapping[str, Split] = {}
        self._passed_at: dict[str, list[float | None]] = {}
        self._intended: Mapping[str, object] | None = None
        self._declared = {route.name: declared(playbook, route) for route in playbook.routes}
        self._found = {route.name: self._live(route) for route in playbook.routes}
        self.broken: list[str] = []
        self.watched: Cluster = _Watched(place.cluster, self)

    def heard(self, event: Event, line: str) -> None:
        """Hold the world against what was just recorded."""
        del line
        match event:
            case StageStarted(stage=stage, at=at) if stage in self._verifies:
                self._open[stage] = at
            case StageSucceeded(stage=stage):
                self._succeeded(stage)
            case MeasurementTaken():
                self._measured(event)
            case EffectIntended(found=found):
                self._intended = found
            case SplitChanged():
                self._changed(event)
            case RollbackStarted(to=to):
                self._safe = to
            case RunFinished():
                self._finished(event)
            case _:
                pass
        self._weights_are_known(event.at)

    def noticed(self, observation: Observation) -> None:
        """Promises are about events."""

    def tick(self, now: float) -> None:
        """Promises are about events."""

    def ended(self, code: int) -> None:
        """P3, once the run stands still."""
        if code == 3:
            for name, split in self._safe.items():
                live = self._live(self._playbook.route(name))
                if live != split:
                    self.broken.append(f"P3: exit 3, but {name} is at {live}, its safe split is {split}")

    def written(self, ref: ObjectRef) -> None:
        """P4, before a write: whatever is about to be replaced was recorded, or was found with the intent."""
        for route in self._playbook.routes:
            if service_ref(route).name == ref.name and route.namespace == ref.namespace:
                self._overwrites(route)

    def _overwrites(self, route: Route) -> None:
        live, known = self._live(route), self._recorded.get(route.name)
        if known is None or live is None or live == known:
            return
        said = self._intended is not None and self._intended.get("split") == live.as_dict()
        if not said:
            self.broken.append(f"P4: {route.name} was changed to {live} by somebody else, and is overwritten")

    def _measured(self, event: MeasurementTaken) -> None:
        if event.stage is None or event.verdict is not Verdict.PASSED:
            return
        answers = event.evidence.get("answers", {}).values()
        newest = [answer.get("newest") for answer in answers if answer.get("newest") is not None]
        self._passed_at.setdefault(event.stage, []).append(min(newest, default=None))

    def _succeeded(self, stage: str) -> None:
        if stage not in self._verifies:
            return
        self._open.pop(stage, None)
        rise = max(self._rises.values(), default=None)
        old = [
            at for at in self._passed_at.get(stage, []) if at is not None and rise is not None and at < rise
        ]
        if old:
            self.broken.append(f"P2: {stage!r} passed on data from before the last shift")

    def _changed(self, event: SplitChanged) -> None:
        canary = self._playbook.route(event.route).canary
        before = event.from_[canary] if event.from_ is not None else 0
        if event.to[canary] > before:
            for stage in self._open:
                self.broken.append(
                    f"P2: the canary of {event.route} rose to {event.to[canary]} during {stage!r}"
                )
            self._rises[event.route] = event.at
        self._recorded[event.route] = event.to

    def _finished(self, event: RunFinished) -> None:
        for name, split in event.splits.items():
            live = self._live(self._playbook.route(name))
            if live != split:
                self.broken.append(f"P3: finished with {name} at {split}, but it is at {live}")

    def _weights_are_known(self, at: float) -> None:
        """P1; weights that somebody else set are theirs, and P4's concern."""
        del at
        for route in self._playbook.routes:
            live, ours = self._live(route), self._recorded.get(route.name)
            if live is None or ours is None or live != ours:
                continue
            if live not in self._declared[route.name] and live != self._found[route.name]:
                self.broken.append(f"P1: {route.name} is at {live}, which the playbook does not declare")

    def _live(self, route: Route) -> Split | None:
        found = self._place.witness(service_ref(route))
        try:
            return None if found is None else istio.read(found, route)
        except RunnerError as error:
            self.broken.append(f"P1: {error.message}")
            return None


def declared(playbook: Playbook, route: Route) -> frozenset[Split]:
    """Every split of *route* that the playbook writes, the safe one included."""
    splits = {canary_split(route.stable, route.canary, 0)}
    for stage in (*playbook.stages, *playbook.rollback):
        match stage.kind:
            case Shift(route=name, split=split) if name == route.name:
                splits.add(split)
            case Promote(route=name) if name == route.name:
                splits.add(canary_split(route.stable, route.canary, 100))
            case _:
                pass
    return frozenset(splits)


class _Watched:
    """The cluster of the run, with an eye on what is written to it."""

    def __init__(self, cluster: Cluster, promises: Promises) -> None:
        self._cluster = cluster
        self._promises = promises

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """As the cluster."""
        return self._cluster.get(ref)

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        """As the cluster."""
        return self._cluster.list(api_version, kind, namespace, labels)

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """As the cluster."""
        if not dry_run:
            self._promises.written(_ref(manifest))
        return self._cluster.apply(manifest, force=force, dry_run=dry_run)

    def create(self, manifest: KubeObject) -> KubeObject:
        """As the cluster."""
        return self._cluster.create(manifest)

    def replace(self, changed: KubeObject) -> KubeObject:
        """As the cluster."""
        self._promises.written(_ref(changed))
        return self._cluster.replace(changed)


def _ref(body: KubeObject) -> ObjectRef:
    metadata = body.get("metadata", {})
    return ObjectRef(body["apiVersion"], body["kind"], metadata.get("namespace", ""), metadata["name"])
