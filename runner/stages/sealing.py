"""The first acts of whoever takes a run up: its epoch on the object, and a look at where the routes are.

The write changes no weight, but it changes the resourceVersion, so that a write which the process before is
still sending can no longer succeed.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runner.engine.events import EffectIntended, Event
from runner.errors import ConflictError, DisagreementError, LockedError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.model.stages import KubeObject
from runner.ports import Cluster
from runner.routers import istio
from runner.routers.marker import Marker, marker_of, with_marker
from runner.stages.shift import drift, gone, live

TRIES = 5  # writes of one seal that others may get in between


def seal(cluster: Cluster, playbook: Playbook, run: str, epoch: int, past: Iterable[Event]) -> None:
    """Write *epoch* into the marker of every route that *run* has moved; *past* is what is recorded of it.

    DisagreementError where the object knows more of the run than its record does; LockedError where a later
    epoch is there already; ConflictError where others keep writing.
    """
    intended = {event.ref.stage for event in past if isinstance(event, EffectIntended)}
    for route in playbook.routes:
        _sealed(cluster, route, run, epoch, intended)


def refuse_moved(cluster: Cluster, playbook: Playbook, run: str, held: Mapping[str, Sequence[Split]]) -> None:
    """What waits, or judges, at a split must not be deceived about it until the next shift.

    *held* are the splits, by route, at which *run* can have left it; the recorded one first. DisagreementError
    where somebody else has moved or deleted one.
    """
    for name, splits in held.items():
        route = playbook.route(name)
        found = live(cluster, route)
        if found is None:
            raise gone(route, splits[0], playbook)
        if istio.read(found, route) not in splits:
            raise drift(found, route, run, splits[0])


def _sealed(cluster: Cluster, route: Route, run: str, epoch: int, intended: set[str]) -> None:
    for left in reversed(range(TRIES)):
        found = live(cluster, route)
        marker = marker_of(found) if found is not None else None
        if found is None or marker is None or marker.run != run:
            return
        _refuse_older_record(route, marker, intended)
        _refuse_superseded(route, marker, epoch)
        if marker.epoch == epoch:
            return
        try:
            _write(cluster, found, marker, epoch)
        except ConflictError:
            if not left:
                raise
        else:
            return


def _write(cluster: Cluster, found: KubeObject, marker: Marker, epoch: int) -> None:
    cluster.replace(with_marker(found, replace(marker, epoch=epoch)))


def _refuse_older_record(route: Route, marker: Marker, intended: set[str]) -> None:
    """An intent is durable before its write: a write without one means that the end of the record was lost."""
    if marker.stage in intended:
        return
    raise DisagreementError(
        f"VirtualService {route.namespace}/{route.virtual_service} was moved by stage {marker.stage!r} of run"
        f" {marker.run}, and the state of that run does not know of it: it is older than the object",
        hint=f"find the newer state; or go back by the object alone:"
        f" runner rollback --route {shlex.quote(route.virtual_service)} -n {shlex.quote(route.namespace)}",
    )


def _refuse_superseded(route: Route, marker: Marker, epoch: int) -> None:
    if marker.epoch > epoch:
        raise LockedError(
            f"run {marker.run} goes on elsewhere: VirtualService {route.namespace}/{route.virtual_service}"
            f" carries epoch {marker.epoch}, ours is {epoch}",
            hint=f"`runner status {shlex.quote(marker.run)}` shows it",
        )
