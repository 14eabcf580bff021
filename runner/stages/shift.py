"""`shift`: sets the whole split of one route, conditionally on the object as it was read."""

import shlex
from typing import Any

from runner.engine.program import Await, Change, ProgramStage, SetSplit, SubsetsReady
from runner.engine.state import RouteState
from runner.errors import DisagreementError, LockedError, RunnerError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split, canary_split, split_of
from runner.model.stages import Apply, KubeObject, Shift
from runner.ports import Cluster, ObjectRef, Permission
from runner.routers import istio
from runner.routers.marker import Marker, marker_of, with_marker
from runner.stages.needing import to_move
from runner.stages.ownership import ROUTES, last_editor, refuse_gitops
from runner.stages.writing import Move, Setting, Write

NAME = "shift"
API_VERSION = "networking.istio.io/v1"


def compiled(name: str, kind: Shift, playbook: Playbook) -> ProgramStage:
    """Readiness first, then one write."""
    route = playbook.route(kind.route)
    ready = SubsetsReady(kind.route, kind.split, check_capacity=not kind.ignore_capacity)
    effect = SetSplit(kind.route, kind.split)
    steps = (
        Await(ready, kind.ready),
        Change(effect, "VirtualService", route.namespace, route.virtual_service),
    )
    return ProgramStage(name, NAME, steps, moves=kind.route)


def needs(kind: Shift, playbook: Playbook) -> tuple[Permission, ...]:
    """To move its route."""
    return tuple(to_move(playbook.route(kind.route)))


def says(kind: Shift, playbook: Playbook) -> str:
    """For a plan."""
    del playbook
    return f"{kind.route} to {kind.split}"


def service_ref(route: Route) -> ObjectRef:
    """The VirtualService of *route*."""
    return ObjectRef(API_VERSION, "VirtualService", route.namespace, route.virtual_service)


def live(cluster: Cluster, route: Route) -> KubeObject | None:
    """The VirtualService of *route* as it stands."""
    return cluster.get(service_ref(route))


def prepare(effect: SetSplit, setting: Setting) -> Write:
    """Reads the object and refuses what may not be overwritten; see `Write`."""
    route = setting.playbook.route(effect.route)
    found = _present(live(setting.cluster, route), route, setting)
    refuse_gitops(found, route)
    _refuse_superseded(found, setting)
    _refuse_other_host(effect, setting, found)
    split = istio.read(found, route)
    before = _before(setting, split)
    done = split == effect.split and _marked(found, setting)  # and only the answer was lost
    if not done:
        _refuse_drift(effect, setting, found, before)
    if effect.back and not split[route.canary]:
        return _already(route, effect, found, split, setting.routes[effect.route])
    changed = _changed(effect, setting, route, found, before)
    known = setting.routes[effect.route]
    # The first write makes the route this run's, even where it changes no weight.
    told = bool(known.moved) and known.split == effect.split
    moves = () if told else (Move(effect.route, before, effect.split),)
    return Write(
        target=service_ref(route),
        want={
            "split": effect.split.as_dict(),
            "host": istio.host_of(found, route),
            **_written(changed, route),
        },
        found={"split": before.as_dict(), "resourceVersion": found["metadata"].get("resourceVersion", "")},
        send=None if done else lambda: _sent(setting.cluster, changed),
        moves=moves,
        proof=lambda back: _wrong(back, route, effect.split),
    )


def _written(changed: KubeObject, route: Route) -> dict[str, Any]:
    """Where the weights lie in the object, so that a person can be told how to change them without runner."""
    index = istio.http_index(changed, route)
    return {"http": index, "destinations": changed["spec"]["http"][index]["route"]}


def _sent(cluster: Cluster, changed: KubeObject) -> dict[str, Any]:
    cluster.replace(changed)
    return {}


def _present(found: KubeObject | None, route: Route, setting: Setting) -> KubeObject:
    if found is not None:
        return found
    known = setting.routes[route.name].split
    if known is not None:
        raise gone(route, known, setting.playbook)
    raise RunnerError(
        f"VirtualService {route.namespace}/{route.virtual_service} of route {route.name!r} does not exist",
        hint=f"an earlier apply stage creates it, or: kubectl apply -n {shlex.quote(route.namespace)} -f FILE",
    )


def gone(route: Route, split: Split, playbook: Playbook) -> DisagreementError:
    """The VirtualService of *route*, last seen at *split*, has been deleted by somebody."""
    return DisagreementError(
        f"VirtualService {route.namespace}/{route.virtual_service} is gone: somebody has deleted it"
        f" after it was seen at {split}; without it Kubernetes shares the traffic over every version's pods",
        hint="create it again, from the playbook's folder:"
        f" kubectl apply -n {shlex.quote(route.namespace)} -f {_file_of(route, playbook)}",
    )


def _file_of(route: Route, playbook: Playbook) -> str:
    """The manifest of *route*'s object where *playbook* has one."""
    place = ("VirtualService", route.namespace, route.virtual_service)
    for stage in playbook.stages:
        for manifest in stage.kind.manifests if isinstance(stage.kind, Apply) else ():
            metadata = manifest.object["metadata"]
            if (manifest.object["kind"], metadata.get("namespace"), metadata["name"]) == place:
                return shlex.quote(manifest.file)
    return "FILE"


def _before(setting: Setting, split: Split) -> Split:
    """The split that this effect starts from: as recorded with its intent, else as found now."""
    if setting.pending is not None and setting.pending.found:
        return split_of(setting.pending.found["split"])
    return split


def _marked(found: KubeObject, setting: Setting) -> bool:
    """Whether the newest write of any run is this stage's own."""
    marker = marker_of(found)
    return marker is not None and (marker.run, marker.stage) == (setting.run, setting.ref.stage)


def _refuse_superseded(found: KubeObject, setting: Setting) -> None:
    """Whoever wrote a later epoch has taken over; what this process knows is old."""
    marker = marker_of(found)
    if marker is not None and marker.epoch > setting.epoch:
        raise LockedError(
            f"run {marker.run} has taken over {found['metadata']['name']}"
            f" (epoch {marker.epoch}, ours is {setting.epoch})",
            hint=f"`runner status {shlex.quote(marker.run)}` shows it",
        )


def _refuse_other_host(effect: SetSplit, setting: Setting, found: KubeObject) -> None:
    """The same weights on another host are another release; on the way back, safety comes first."""
    route, known = setting.playbook.route(effect.route), setting.routes[effect.route].host
    host = istio.host_of(found, route)
    if effect.back or known is None or host == known:
        return
    raise DisagreementError(
        f"VirtualService {route.namespace}/{route.virtual_service} was changed by {last_editor(found)}\n"
        f"  recorded  host {known}\n  live      host {host}",
        hint=f"put the host back, and go on: runner resume {setting.run}\nor go back: runner rollback {setting.run}",
    )


def _refuse_drift(effect: SetSplit, setting: Setting, found: KubeObject, before: Split) -> None:
    """Somebody else's change is never overwritten silently; on the way back, safety comes first."""
    route, known = setting.playbook.route(effect.route), setting.routes[effect.route]
    split, recorded = istio.read(found, route), known.split if setting.pending is None else before
    if setting.pending is not None and _marked(found, setting):
        recorded = effect.split  # it was written, and whoever put back what was there before has changed it
    if effect.back or recorded is None or split == recorded:
        return
    raise drift(found, route, setting.run, recorded, effect.split)


def drift(
    found: KubeObject, route: Route, run: str, recorded: Split, wanted: Split | None = None
) -> DisagreementError:
    """Somebody else has moved *route* from where *run* left it; what the run wants there now is told too."""
    lines = [f"recorded  {recorded}", f"live      {istio.read(found, route)}"]
    lines += [] if wanted is None else [f"wanted    {wanted}"]
    return DisagreementError(
        f"VirtualService {route.namespace}/{route.virtual_service} was changed by {last_editor(found, ROUTES)}"
        + "".join(f"\n  {line}" for line in lines),
        hint=f"go on from the live split: runner resume {shlex.quote(run)}"
        f" --accept-drift {istio.digest(found, route)}",
    )


def _changed(
    effect: SetSplit, setting: Setting, route: Route, found: KubeObject, before: Split
) -> KubeObject:
    """The new weights and the marker, in one object."""
    weighted = istio.write(found, route, effect.split)
    safe = effect.split if effect.promote or effect.back else _safe(effect, setting, route, before)
    digest = istio.digest(weighted, route)
    return with_marker(weighted, Marker(setting.run, setting.ref.stage, setting.epoch, safe, digest))


def _safe(effect: SetSplit, setting: Setting, route: Route, before: Split) -> Split:
    for split in (effect.split, before, setting.routes[effect.route].safe):
        if split is not None and not split[route.canary]:
            return split
    return canary_split(route.stable, route.canary, 0)


def _already(route: Route, effect: SetSplit, found: KubeObject, split: Split, known: RouteState) -> Write:
    """Going back where the canary has nothing: whatever else it is, the canary is out of it."""
    wrong = (
        None if split == effect.split else f"somebody moved it to {split}, by {last_editor(found, ROUTES)}"
    )
    told = not known.moved or known.split == effect.split
    return Write(
        target=service_ref(route),
        want={"split": effect.split.as_dict()},
        found={"split": split.as_dict()},
        send=None,
        proof=lambda _: wrong,
        moves=() if wrong or told else (Move(effect.route, known.split, effect.split),),
    )


def _wrong(back: KubeObject | None, route: Route, want: Split) -> str | None:
    if back is None:
        return "it is gone"
    split = istio.read(back, route)
    return None if split == want else f"it is at {split}, by {last_editor(back, ROUTES)}"
