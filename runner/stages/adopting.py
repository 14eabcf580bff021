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
    Ref,
    RunInterrupted,
    SplitChanged,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.errors import DisagreementError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.ports import Cluster
from runner.routers import istio
from runner.routers.marker import Marker, marker_of
from runner.stages.ownership import ROUTES, last_editor
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


def record_of(playbook: Playbook, found: list[Marked], at: float) -> tuple[Event, ...]:
    """The events that stand for what is lost, after `run.started`.

    DisagreementError where the last write is that of no stage of *playbook*.
    """
    names = [stage.name for stage in playbook.stages]
    by_stage = {item.marker.stage: item for item in found}
    unknown = [stage for stage in by_stage if stage not in names]
    if unknown:
        raise DisagreementError(
            f"the last write was made by {unknown[0]!r}, which is no stage of this playbook",
            hint="a run that was taken back is over; a playbook that has changed since is adopted as it was",
        )
    last = max(names.index(stage) for stage in by_stage)
    events: list[Event] = []
    for name in names[: last + 1]:
        item = by_stage.get(name)
        events += [StageSkipped(at, name, LOST)] if item is None else _moved(name, item, at)
    return (*events, RunInterrupted(at, ADOPTED, 1))


def _moved(stage: str, item: Marked, at: float) -> list[Event]:
    """The stage that wrote the marker, as if its record were there."""
    ref = Ref(stage, 1, "VirtualService", item.route.namespace, item.route.virtual_service, 1)
    before: Mapping[str, int] | None = item.marker.safe.as_dict() if item.marker.safe is not None else None
    return [
        StageStarted(at, stage, 1),
        EffectIntended(
            at, ref, {"split": item.split.as_dict()}, None if before is None else {"split": before}
        ),
        SplitChanged(at, item.route.name, item.marker.safe, item.split, stage),
        EffectDone(at, ref),
        StageSucceeded(at, stage),
    ]
