"""What people beside the run do to objects."""

from collections.abc import Callable, Mapping
from typing import Any

from runner.errors import RunnerError
from runner.model.scenario import DeleteObject, Edit, MergeObject, PutObjects, SetWeights
from runner.model.stages import KubeObject
from runner.sandbox.defaults import Body
from runner.sandbox.kinds import ISTIO, Key, plain_key
from runner.sandbox.registry import Registry
from runner.sandbox.setup import Stream

KUBECTL_APPLY = "kubectl-client-side-apply"


def edit(registry: Registry, now: int, change: Edit, stream: Stream | None, namespace: str) -> None:
    """*change* is made at *now*; what the API server refuses, or is not there, people leave as it is."""
    try:
        match change.change:
            case SetWeights(weights=weights) if stream is not None:
                _set_weights(registry, now, change.manager, stream, dict(weights))
            case MergeObject(kind=kind, name=name, patch=patch):
                _rewrite(
                    registry,
                    now,
                    change.manager,
                    plain_key(kind, namespace, name),
                    lambda body: merge(body, patch),
                )
            case DeleteObject(kind=kind, name=name):
                registry.delete(now, plain_key(kind, namespace, name))
            case PutObjects(files=files):
                for manifest in files:
                    _kubectl_apply(registry, now, manifest.object, namespace)
    except RunnerError:
        return


def _set_weights(
    registry: Registry, now: int, manager: str, stream: Stream, weights: Mapping[str, int]
) -> None:
    key = Key(ISTIO, "VirtualService", stream.namespace, stream.virtual_service or stream.name)
    _rewrite(registry, now, manager, key, lambda body: with_weights(body, stream, weights))


def with_weights(body: KubeObject, stream: Stream, weights: Mapping[str, int]) -> Body:
    """A VirtualService with *weights* in the http routes that have the stream's subsets, and only there."""
    routes = [
        {**route, "route": _destinations(route["route"], stream, weights)}
        if {stream.canary, stream.stable}
        & {item["destination"].get("subset") for item in route.get("route") or []}
        else route
        for route in body["spec"]["http"]
    ]
    return {**body, "spec": {**body["spec"], "http": routes}}


def _destinations(found: list[Body], stream: Stream, weights: Mapping[str, int]) -> list[Body]:
    like = next(item for item in found if item["destination"].get("subset") in (stream.stable, stream.canary))
    destination = like["destination"]
    return [
        {**like, "destination": {**destination, "subset": subset}, "weight": weight}
        for subset, weight in weights.items()
    ]


def _rewrite(
    registry: Registry, now: int, manager: str, key: Key, change: Callable[[KubeObject], Body]
) -> None:
    body = registry.find(key)
    if body is not None:
        registry.update(now, change(body), manager)


def _kubectl_apply(registry: Registry, now: int, manifest: KubeObject, namespace: str) -> None:
    """Client-side: what the file says is laid over what is there, and written as an update."""
    placed = in_namespace(registry, manifest, namespace)
    live = registry.find(registry.key(placed))
    if live is None:
        registry.create(now, placed, KUBECTL_APPLY)
    else:
        registry.update(now, merge(live, placed), KUBECTL_APPLY)


def in_namespace(registry: Registry, manifest: KubeObject, namespace: str) -> Body:
    """*manifest* with its namespace filled in, where its kind has one."""
    kind = registry.kind(str(manifest["apiVersion"]), str(manifest["kind"]))
    metadata = manifest["metadata"]
    if not kind.namespaced or metadata.get("namespace"):
        return dict(manifest)
    return {**manifest, "metadata": {**metadata, "namespace": namespace}}


def merge(body: Any, patch: Any) -> Any:
    """RFC 7386: maps merge, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(body) if isinstance(body, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result
