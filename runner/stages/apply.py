"""`apply`: server-side apply of manifests, in order; what others own is theirs."""

from typing import Any

from runner.engine.program import ApplyObject, Await, Change, ObjectsReady, ProgramStage
from runner.errors import ApplyConflictError, ConflictError, RunnerError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split, split_of
from runner.model.stages import Apply, KubeObject
from runner.ports import Cluster, Permission
from runner.routers import istio
from runner.stages.needing import to_apply
from runner.stages.writing import Move, Setting, Write, ref_of

NAME = "apply"


def compiled(name: str, kind: Apply, playbook: Playbook) -> ProgramStage:
    """Each object is a write of its own; then all of them are waited for."""
    changes = tuple(
        Change(
            ApplyObject(manifest, playbook.target.namespace, kind.if_absent, kind.take_over),
            manifest.object["kind"],
            manifest.object["metadata"].get("namespace", ""),
            manifest.object["metadata"]["name"],
        )
        for manifest in kind.manifests
    )
    if kind.ready is None:
        return ProgramStage(name, NAME, changes)
    refs = (ref_of(manifest.object) for manifest in kind.manifests)
    objects = tuple((ref.api_version, ref.kind, ref.namespace, ref.name) for ref in refs)
    return ProgramStage(name, NAME, (*changes, Await(ObjectsReady(objects), kind.ready)))


def needs(kind: Apply, playbook: Playbook) -> tuple[Permission, ...]:
    """To apply each manifest, and to see pods that do not become ready."""
    wanted = [need for item in kind.manifests for need in to_apply(item.object, if_absent=kind.if_absent)]
    return (*wanted, Permission("list", "", "pods", playbook.target.namespace))


def says(kind: Apply, playbook: Playbook) -> str:
    """For a plan; a VirtualService that a route names is a shift too, and is announced as one."""
    files = ", ".join(dict.fromkeys(manifest.file for manifest in kind.manifests))
    moved = [
        f"{route.name} to {split}"
        for manifest in kind.manifests
        for route in routes_of(manifest.object, playbook)
        if (split := _split(manifest.object, route)) is not None
    ]
    shift = f"; sets {', '.join(moved)}" + (" where absent" if kind.if_absent else "") if moved else ""
    return f"apply {len(kind.manifests)} objects of {files}{shift}"


def routes_of(found: KubeObject, playbook: Playbook) -> list[Route]:
    """The routes that *found* carries, if it is their VirtualService."""
    if found.get("kind") != "VirtualService":
        return []
    metadata = found["metadata"]
    named = (metadata.get("namespace"), metadata.get("name"))
    return [route for route in playbook.routes if (route.namespace, route.virtual_service) == named]


def prepare(effect: ApplyObject, setting: Setting) -> Write:
    """Reads first only where the answer matters: what carries traffic, and what may exist already."""
    wanted = effect.manifest.object
    target = ref_of(wanted)
    routes = routes_of(wanted, setting.playbook)
    found = setting.cluster.get(target) if routes or effect.if_absent else None
    before = _before(setting, routes, found)
    moves = _moves(setting, routes, before, wanted)
    if effect.if_absent and found is not None:
        made_here = setting.pending is not None and before["absent"]
        return Write(
            target, {"present": True}, before, None, moves if made_here else (), {"left": not made_here}
        )
    return Write(
        target=target,
        want={"file": effect.manifest.file},
        found=before if effect.if_absent or routes else None,
        send=lambda: _sent(effect, setting.cluster),
        moves=moves,
        proof=(lambda back: _wrong(back, routes, wanted)) if routes else None,
    )


def _before(setting: Setting, routes: list[Route], found: KubeObject | None) -> dict[str, Any]:
    """What was there before this effect: as recorded with its intent, else as found now."""
    if setting.pending is not None and setting.pending.found is not None:
        return dict(setting.pending.found)
    splits = {route.name: _split(found, route) for route in routes}
    return {
        "absent": found is None,
        "splits": {name: split.as_dict() if split else None for name, split in splits.items()},
    }


def _sent(effect: ApplyObject, cluster: Cluster) -> dict[str, Any]:
    wanted = effect.manifest.object
    if effect.if_absent:
        return _created(cluster, wanted)
    try:
        cluster.apply(wanted)
    except ApplyConflictError as conflict:
        note = _may_force(effect, conflict)
        cluster.apply(wanted, force=True)
        return {"forced": note}
    return {}


def _created(cluster: Cluster, wanted: KubeObject) -> dict[str, Any]:
    try:
        cluster.create(wanted)
    except ConflictError:
        return {"left": True}
    return {}


def _may_force(effect: ApplyObject, conflict: ApplyConflictError) -> str:
    """What is forced and why; RunnerError names who owns what otherwise."""
    if all((item.manager, item.operation) == ("runner", "Update") for item in conflict.conflicts):
        return "over our own earlier write"
    if all(item.manager.startswith("kubectl") for item in conflict.conflicts):
        if effect.take_over == "kubectl":
            return "over kubectl's entries, as the stage says"
        raise _refused(effect, conflict, "write `takeOver: kubectl` in this stage to take these fields over")
    raise _refused(effect, conflict, "leave these fields out of the manifest, or let their owner change them")


def _refused(effect: ApplyObject, conflict: ApplyConflictError, hint: str) -> RunnerError:
    ref = ref_of(effect.manifest.object)
    owners = "\n".join(
        f"  {item.manager} ({item.operation}) owns {item.field}" for item in conflict.conflicts
    )
    return RunnerError(f"{ref} in {effect.manifest.file} has fields that others own:\n{owners}", hint=hint)


def _moves(
    setting: Setting, routes: list[Route], before: dict[str, Any], wanted: KubeObject
) -> tuple[Move, ...]:
    moves = []
    for route in routes:
        after, weights = _split(wanted, route), before["splits"].get(route.name)
        split = split_of(weights) if weights else None
        known = setting.routes[route.name]
        told = bool(known.moved) and known.split == after
        if after is not None and after != split and not told:
            moves.append(Move(route.name, split, after))
    return tuple(moves)


def _split(found: KubeObject | None, route: Route) -> Split | None:
    """The split that an object gives a route, None where it gives none."""
    try:
        return None if found is None else istio.read(found, route)
    except RunnerError:
        return None


def _wrong(back: KubeObject | None, routes: list[Route], wanted: KubeObject) -> str | None:
    if back is None:
        return "it is gone"
    for route in routes:
        if (want := _split(wanted, route)) != (got := _split(back, route)):
            return f"route {route.name} is at {got}, not {want}"
    return None
