"""The Cluster port of a world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from runner.errors import RunnerError
from runner.model.scenario import ApiTrouble
from runner.model.stages import KubeObject
from runner.ports import ObjectRef
from runner.sandbox.defaults import Body
from runner.sandbox.faults import Faults, lost, refusal
from runner.sandbox.kinds import Key
from runner.sandbox.podstatus import endpoint_slice, endpoints
from runner.sandbox.registry import Registry

MANAGER = "runner"
SLICES = ("discovery.k8s.io", "EndpointSlice")
ENDPOINTS = ("", "Endpoints")


class Host(Protocol):
    """What the port asks of the world around it."""

    registry: Registry
    faults: Faults

    def present(self) -> int:
        """Let everything happen that is due, and say what time it is, in milliseconds."""

    def effect(self, verb: str, manifest: KubeObject, *, force: bool) -> Body:
        """Write the effect down, then do it."""


class SandboxCluster:
    """Kubernetes objects of a world; refuses as an API server does."""

    def __init__(self, world: Host) -> None:
        self._world = world

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """The object, or None where it, or its namespace, does not exist. RunnerError for an unknown kind."""
        kind = self._reading("get", ref)
        key = Key(kind.group, kind.kind, ref.namespace if kind.namespaced else "", ref.name)
        if (kind.group, kind.kind) in (SLICES, ENDPOINTS):
            made = self._made(kind.group, kind.kind, ref.namespace)
            return next((body for body in made if body["metadata"]["name"] == ref.name), None)
        return self._world.registry.shown(key, ref.api_version)

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        """Every object of *kind* in *namespace* with *labels*, by name."""
        found = self._reading("list", ObjectRef(api_version, kind, namespace, ""))
        if (found.group, kind) in (SLICES, ENDPOINTS):
            return [body for body in self._made(found.group, kind, namespace) if _carries(body, labels)]
        place = namespace if found.namespaced else ""
        bodies = self._world.registry.all(found.group, kind, place)
        keys = (
            Key(found.group, kind, body["metadata"].get("namespace", ""), body["metadata"]["name"])
            for body in bodies
            if _carries(body, labels)
        )
        shown = (self._world.registry.shown(key, api_version) for key in keys)
        return [body for body in shown if body is not None]

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """Server-side apply; what the server made of it."""
        if not dry_run:
            return self._world.effect("apply", manifest, force=force)
        now = self._world.present()
        with_fault(self._world.faults, "apply", manifest, lambda: None, writes=False)
        return said(
            "apply",
            manifest,
            lambda: self._world.registry.apply(now, manifest, MANAGER, force=force, dry=True),
        )

    def create(self, manifest: KubeObject) -> KubeObject:
        """Create; ConflictError where an object of this name exists."""
        return self._world.effect("create", manifest, force=False)

    def replace(self, changed: KubeObject) -> KubeObject:
        """Write back an object that was read; ConflictError where it has changed since, or is gone."""
        return self._world.effect("replace", changed, force=False)

    def _reading(self, verb: str, ref: ObjectRef) -> Any:
        self._world.present()
        place = f" in namespace {ref.namespace}" if ref.namespace else ""
        deed = f"{verb} {ref if ref.name else ref.kind}{place}"
        trouble = self._world.faults.api(verb, ref.kind)
        refused = refusal(trouble, deed, writes=False) if trouble else None
        if refused:
            raise refused
        return self._world.registry.kind(ref.api_version, ref.kind)

    def _made(self, group: str, kind: str, namespace: str) -> Iterator[Body]:
        """What the endpoint controllers would have made of Services and pods."""
        for service in self._world.registry.all("", "Service", namespace):
            selector = service["spec"].get("selector")
            if selector:
                pods = self._world.registry.all("", "Pod", service["metadata"]["namespace"])
                behind = [pod for pod in pods if _carries(pod, selector)]
                make = endpoint_slice if (group, kind) == SLICES else endpoints
                yield make(service, behind)


def perform(registry: Registry, now: int, verb: str, manifest: KubeObject, *, force: bool) -> Body:
    """Do one write at *now*, as manager `runner`."""
    match verb:
        case "apply":
            return registry.apply(now, manifest, MANAGER, force=force)
        case "create":
            return registry.create(now, manifest, MANAGER)
        case _:
            return registry.update(now, manifest, MANAGER)


def with_fault(
    faults: Faults, verb: str, manifest: KubeObject, act: Callable[[], Any], *, writes: bool = True
) -> Any:
    """*act*, unless the API server fails just now; a lost answer comes after it."""
    trouble = faults.api(verb, str(manifest.get("kind")))
    deed = deed_of(verb, manifest)
    refused = refusal(trouble, deed, writes=writes) if trouble else None
    if refused:
        raise refused
    result = act()
    if trouble is ApiTrouble.LOST and writes:
        raise lost(deed)
    return result


def said(verb: str, manifest: KubeObject, act: Callable[[], Body]) -> Body:
    """*act*; what it refuses says first what was asked."""
    try:
        return act()
    except RunnerError as error:
        if not error.message.startswith(("cannot ", "nobody knows")):
            error.message = f"cannot {deed_of(verb, manifest)}: {error.message}"
            error.args = (error.message,)
        raise


def deed_of(verb: str, manifest: KubeObject) -> str:
    """What was asked, in words."""
    metadata = manifest.get("metadata") or {}
    namespace = metadata.get("namespace")
    place = f" in namespace {namespace}" if namespace else ""
    return f"{verb} {manifest.get('kind')}/{metadata.get('name')}{place}"


def _carries(body: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return bool(labels.items() <= (body["metadata"].get("labels") or {}).items())
