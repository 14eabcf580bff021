"""A record rebuilt from what the markers on the objects say: the run goes on behind its last write.

What was verified before that write cannot be shown any more, and is not claimed: those stages are skipped. What
comes after the write is played, verifies and guards first, exactly as on a resume.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    Event,
    Outcome,
    Ref,
    RollbackStarted,
    RunInterrupted,
    SplitChanged,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.errors import DisagreementError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.model.stages import Apply, KubeObject, Scale, Stage
from runner.ports import Cluster, ObjectRef
from runner.routers import istio
from runner.routers.marker import Marker, marker_of
from runner.stages.ownership import ROUTES, last_editor
from runner.stages.scale import ROLLBACK, Scaling, scaling_of
from runner.stages.shift import live

LOST = "the record of it is lost"
ADOPTED = "adopted from the marker on the object; nothing was touched"


@dataclass(frozen=True, slots=True)
class Marked:
    """A route with what its object says of the run that moved it."""

    route: Route
    marker: Marker
    split: Split


def marked(cluster: Cluster, playbook: Playbook) -> list[Marked]:
    """Every route of *playbook* whose object carries a marker. DisagreementError where others have moved it since."""
    found = []
    for route in playbook.routes:
        item = live(cluster, route)
        marker = marker_of(item) if item is not None else None
        if item is None or marker is None:
            continue
        if marker.digest != istio.digest(item, route):
            raise DisagreementError(
                f"VirtualService {route.namespace}/{route.virtual_service} was changed since run {marker.run} wrote it,"
                f" by {last_editor(item, ROUTES)}",
                hint=f"go back by the marker: runner rollback --route {shlex.quote(route.virtual_service)}"
                f" -n {shlex.quote(route.namespace)}",
            )
        found.append(Marked(route, marker, istio.read(item, route)))
    return found


@dataclass(frozen=True, slots=True)
class Scaled:
    """A scale stage, and what its Deployment says of it; *scaling* is None where it does not name the run."""

    stage: str
    deployment: str
    scaling: Scaling | None
    replicas: int = 0


def scaled(cluster: Cluster, playbook: Playbook, run: str) -> list[Scaled]:
    """Every scale stage of *playbook*, with what its Deployment still says of *run*."""
    found = []
    for stage in playbook.stages:
        if not isinstance(stage.kind, Scale):
            continue
        name = stage.kind.deployment
        item = _deployment(cluster, playbook, name)
        said = scaling_of(item) if item is not None else None
        if item is None or said is None or (said.run, said.stage) != (run, stage.name):
            found.append(Scaled(stage.name, name, None))
        else:
            found.append(Scaled(stage.name, name, said, int(item["spec"].get("replicas", 1))))
    return found


def scalers(cluster: Cluster, playbook: Playbook) -> set[str]:
    """The runs that the Deployments of *playbook*'s scale stages name, in stages that it has."""
    found = set()
    for stage in playbook.stages:
        if isinstance(stage.kind, Scale):
            item = _deployment(cluster, playbook, stage.kind.deployment)
            said = scaling_of(item) if item is not None else None
            found |= {said.run} if said is not None and said.stage == stage.name else set()
    return found


def _deployment(cluster: Cluster, playbook: Playbook, name: str) -> KubeObject | None:
    return cluster.get(ObjectRef("apps/v1", "Deployment", playbook.target.namespace, name))


def reached(playbook: Playbook, found: list[Marked], scalings: list[Scaled]) -> int:
    """How many stages the run had begun, as far as the objects tell."""
    wrote = {item.marker.stage for item in found}
    wrote |= {item.stage for item in scalings if item.scaling is not None}
    return max((n for n, stage in enumerate(playbook.stages, 1) if stage.name in wrote), default=0)


def record_of(
    playbook: Playbook, found: list[Marked], scalings: list[Scaled], at: float
) -> tuple[Event, ...]:
    """The events that stand for what is lost, after `run.started`.

    DisagreementError where the last write is that of no stage of *playbook*, or the run was taken back already.
    """
    _refuse_unknown(playbook, found)
    back = [item for item in found if item.marker.stage == ROLLBACK]
    events: list[Event] = []
    for stage in playbook.stages[: reached(playbook, found, scalings)]:
        moved = [item for item in found if item.marker.stage == stage.name]
        known = [item for item in scalings if item.stage == stage.name and item.scaling is not None]
        events += _played(stage, playbook, moved, known, at)
    if back:
        events += _going_back(found, at)
    return (*events, RunInterrupted(at, ADOPTED, 1))


def _refuse_unknown(playbook: Playbook, found: list[Marked]) -> None:
    names = {stage.name for stage in playbook.stages}
    stages = [item.marker.stage for item in found if item.marker.stage not in names]
    if all(stage == ROLLBACK for stage in stages) and not (
        stages and all(item.split == item.marker.safe for item in found)
    ):
        return
    raise DisagreementError(
        f"the last write was made by {stages[0]!r}, which is no stage of this playbook",
        hint="a run that was taken back is over; a playbook that has changed since is adopted as it was",
    )


def _played(
    stage: Stage, playbook: Playbook, moved: list[Marked], known: list[Scaled], at: float
) -> list[Event]:
    """A stage that the run had begun; one that applies several objects may not have come to its end."""
    writes = [event for item in moved for event in _moved(stage.name, item, at)]
    writes += [event for item in known for event in _scaled(item, playbook, at)]
    if not writes:
        return [StageSkipped(at, stage.name, LOST)]
    if isinstance(stage.kind, Apply):
        return writes
    return [StageStarted(at, stage.name, 1), *writes, StageSucceeded(at, stage.name)]


def _moved(stage: str, item: Marked, at: float) -> list[Event]:
    """The write that left the marker, as if its record were there."""
    ref = Ref(stage, 1, "VirtualService", item.route.namespace, item.route.virtual_service, 1)
    before: Mapping[str, int] | None = item.marker.safe.as_dict() if item.marker.safe is not None else None
    return [
        EffectIntended(
            at, ref, {"split": item.split.as_dict()}, None if before is None else {"split": before}
        ),
        SplitChanged(at, item.route.name, item.marker.safe, item.split, stage),
        EffectDone(at, ref),
    ]


def _scaled(item: Scaled, playbook: Playbook, at: float) -> list[Event]:
    before = item.scaling.before if item.scaling is not None else item.replicas
    ref = Ref(item.stage, 1, "Deployment", playbook.target.namespace, item.deployment, 1)
    return [
        EffectIntended(at, ref, {"replicas": item.replicas}, {"replicas": before}),
        EffectDone(at, ref, {"before": before, "replicas": item.replicas}),
    ]


def _going_back(found: list[Marked], at: float) -> list[Event]:
    """The way back had begun: it goes on, for every route."""
    safe = {item.route.name: item.marker.safe for item in found if item.marker.safe is not None}
    moved = [event for item in found if item.marker.stage == ROLLBACK for event in _moved(ROLLBACK, item, at)]
    return [
        *moved,
        RollbackStarted(at, "it was on its way back when its record was lost", Outcome.ABORTED, safe),
    ]
