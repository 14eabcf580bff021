"""How the traffic moves from stage to stage, as far as a playbook alone can tell."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from runner.document.draft import PLACEHOLDER, Draft, Part, StageDraft

JUDGING: Final = frozenset({"verify", "approve"})

Weights = Mapping[str, int]


class Move(NamedTuple):
    """A stage that changes a route's weights; *judged* is whether a verify or a gate lies since the last one.

    *before* is None where nobody can know it from the playbook.
    """

    stage: StageDraft
    number: int
    route: Part
    before: Weights | None
    after: Weights
    judged: bool
    by_apply: bool = False


@lru_cache(maxsize=2)
def moves(draft: Draft) -> list[Move]:
    """Every move of every route, in order. Nothing where a stage or a route is not sound."""
    if not followed(draft):
        return []
    return [move for route in draft.routes.values() if route.sound for move in _of_route(draft, route)]


def followed(draft: Draft) -> bool:
    """Whether every stage can be read, so that what is missing among the moves is missing in the playbook."""
    return all(stage.sound and stage.kind for stage in draft.stages)


def stable_of(route: Part) -> str:
    """The stable subset, as it is or as it stands for one that is read live."""
    return str(route.body.get("stable", PLACEHOLDER))


def _of_route(draft: Draft, route: Part) -> Iterator[Move]:
    now: Weights | None = {stable_of(route): 100}
    judged = False
    for index, stage in enumerate(draft.stages):
        judged = judged or stage.kind in JUDGING
        after = _after(draft, index, stage, route)
        if after is None:
            continue
        yield Move(stage, index, route, now, after, judged, stage.kind == "apply")
        now, judged = after, False


def _after(draft: Draft, index: int, stage: StageDraft, route: Part) -> Weights | None:
    if stage.kind == "shift" and stage.body.get("route") == route.name:
        return _shifted(stage, route)
    if stage.kind == "apply" and not stage.body.get("ifAbsent"):
        return _applied(draft.manifests.get(index, []), route)
    return None


def _shifted(stage: StageDraft, route: Part) -> Weights | None:
    weights = stage.body.get("weights")
    if isinstance(weights, dict):
        return {name: int(share) for name, share in weights.items() if share}
    share = stage.body.get("canary")
    if not isinstance(share, int | float):
        return None
    both = {stable_of(route): 100 - int(share), str(route.body["canary"]): int(share)}
    return {name: weight for name, weight in both.items() if weight}


def _applied(manifests: list[dict[str, Any]], route: Part) -> Weights | None:
    """The weights that an applied VirtualService gives, where it has one http route that could be meant."""
    for manifest in manifests:
        found = manifest["object"]
        if found["kind"] != "VirtualService" or found["metadata"]["name"] != route.body["virtualService"]:
            continue
        spec = found.get("spec")
        routes = spec.get("http") if isinstance(spec, dict) else None
        plain = [http for http in routes or () if isinstance(http, dict) and "match" not in http]
        return _weights_of(plain[0].get("route")) if len(plain) == 1 else None
    return None


def _weights_of(destinations: Any) -> Weights | None:
    found: dict[str, int] = {}
    for each in destinations if isinstance(destinations, list) else ():
        destination = each.get("destination") if isinstance(each, dict) else None
        subset = destination.get("subset") if isinstance(destination, dict) else None
        weight = each.get("weight", 100 if len(destinations) == 1 else 0) if isinstance(each, dict) else 0
        if not isinstance(subset, str) or not isinstance(weight, int):
            return None
        found[subset] = found.get(subset, 0) + weight
    return {name: weight for name, weight in found.items() if weight} or None
