"""What of an applied application a single gate needs: the versions of its route, not the rest of the mesh."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.model.playbook import Playbook, Route
from runner.model.stages import KubeObject, Manifest, Scale


def needed(
    there: Sequence[Manifest], playbook: Playbook, rules: Sequence[KubeObject]
) -> tuple[Manifest, ...]:
    """*there* without the Deployments and ServiceAccounts that serve no route of *playbook*.

    *rules* are the DestinationRules of the world. Where it cannot be told which Service a route is about,
    everything is needed.
    """
    selectors = [_selector(there, route, rules) for route in playbook.routes]
    if not all(selectors):
        return tuple(there)
    scaled = {
        name for stage in playbook.stages if isinstance(stage.kind, Scale) for name in _named(stage.kind)
    }
    kept = tuple(m for m in there if _is_needed(m.object, selectors, scaled))
    return kept if any(m.object["kind"] == "Deployment" for m in kept) else tuple(there)


def _named(scale: Scale) -> Iterator[str]:
    yield scale.deployment
    if scale.like is not None:
        yield scale.like


def _selector(
    there: Sequence[Manifest], route: Route, rules: Sequence[KubeObject]
) -> Mapping[str, str] | None:
    """The selector of the Service behind *route*, by the DestinationRule that defines both of its subsets."""
    hosts = {
        str(rule["spec"].get("host", "")).partition(".")[0]
        for rule in rules
        if {route.canary, route.stable}
        <= {subset.get("name") for subset in rule["spec"].get("subsets") or []}
    }
    found = [
        manifest.object["spec"].get("selector")
        for manifest in there
        if manifest.object["kind"] == "Service" and manifest.object["metadata"]["name"] in hosts
    ]
    return found[0] if len(found) == 1 else None


def _is_needed(body: KubeObject, selectors: Sequence[Mapping[str, str] | None], scaled: set[str]) -> bool:
    if body["kind"] == "ServiceAccount":
        return False
    if body["kind"] != "Deployment" or body["metadata"]["name"] in scaled:
        return True
    template: Mapping[str, Any] = body["spec"]["template"]
    labels = template.get("metadata", {}).get("labels") or {}
    return any(selector is not None and selector.items() <= labels.items() for selector in selectors)
