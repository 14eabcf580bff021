"""Istio VirtualServices: reads and writes the weights of one http route.

Weights are proportions to Istio (since 1.15 they need not add to 100), a single destination without a weight
has everything, and a short host name is meant in the VirtualService's own namespace.
Source: istio.io, VirtualService reference (HTTPRouteDestination, host).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from runner.errors import RunnerError
from runner.model.playbook import Route
from runner.model.split import Split, split_of
from runner.model.stages import KubeObject
from runner.routers.marker import digest_of

Http = Mapping[str, Any]


def read(found: KubeObject, route: Route) -> Split:
    """The live split of *route*. RunnerError where no http route, or more than one, can be meant."""
    http = _http(found, route)[1]
    weights: dict[str, int] = {}
    destinations = _destinations(http, route, found)
    for destination in destinations:
        subset = destination["destination"].get("subset", "")
        weights[subset] = weights.get(subset, 0) + _weight(destination, destinations)
    try:
        return split_of(weights)
    except ValueError as error:
        raise RunnerError(
            f"{_title(found)}: the live weights of route {route.name!r} cannot be read: {error}"
        ) from error


def write(found: KubeObject, route: Route, split: Split) -> dict[str, Any]:
    """*found* with the weights of *split*; a missing destination is a copy of stable's. Nothing else changes."""
    index, http = _http(found, route)
    _refuse_strangers(found, http, route, split)
    changed = list(found["spec"]["http"])
    changed[index] = {**http, "route": _weighted(http, route, found, split)}
    return {**found, "spec": {**found["spec"], "http": changed}}


def digest(found: KubeObject, route: Route) -> str:
    """Names the destinations of the one http route: what a marker vouches for."""
    return digest_of(_http(found, route)[1].get("route", []))


def http_index(found: KubeObject, route: Route) -> int:
    """Where in `spec.http` the route lies, for a person's own patch."""
    return _http(found, route)[0]


def host_of(found: KubeObject, route: Route) -> str:
    """The full name of the host whose subsets the route weighs."""
    http = _http(found, route)[1]
    return _full(_destinations(http, route, found)[0]["destination"]["host"], _namespace(found))


def subsets(found: KubeObject) -> list[str]:
    """Every subset that any http route of *found* names, in order of appearance."""
    named = (
        destination.get("destination", {}).get("subset")
        for http in found.get("spec", {}).get("http", [])
        for destination in http.get("route", [])
    )
    return list(dict.fromkeys(name for name in named if name))


def _http(found: KubeObject, route: Route) -> tuple[int, Http]:
    every = list(enumerate(found.get("spec", {}).get("http") or []))
    if isinstance(route.http, int):
        chosen = [item for item in every if item[0] == route.http]
    elif route.http is not None:
        chosen = [item for item in every if item[1].get("name") == route.http]
    else:
        chosen = [item for item in every if _ours(item[1], route, found)]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise _several(found, route, chosen)
    raise _none(found, route, every)


def _several(found: KubeObject, route: Route, chosen: Sequence[tuple[int, Http]]) -> RunnerError:
    names = ", ".join(str(http.get("name", index)) for index, http in chosen)
    return RunnerError(
        f"{_title(found)} has {len(chosen)} http routes that route {route.name!r} could mean: {names}",
        hint=f"say which: routes: {{{route.name}: {{http: {chosen[0][1].get('name', chosen[0][0])}}}}}",
    )


def _none(found: KubeObject, route: Route, every: Sequence[tuple[int, Http]]) -> RunnerError:
    if any("delegate" in http for _, http in every):
        return RunnerError(
            f"{_title(found)} delegates its routes",
            hint="name the delegate VirtualService in `virtualService:` instead",
        )
    wanted = route.http if route.http is not None else f"one with subset {route.stable or route.canary}"
    names = ", ".join(str(http.get("name", index)) for index, http in every) or "none"
    return RunnerError(
        f"{_title(found)} has no http route for route {route.name!r}: wanted {wanted}, found {names}",
        hint=f"give it a destination with subset {route.stable or 'v1'}, for example with an apply stage",
    )


def _ours(http: Http, route: Route, found: KubeObject) -> bool:
    """Whether an http route weighs subsets of this route's host."""
    namespace = _namespace(found)
    for destination in http.get("route", []):
        target = destination.get("destination", {})
        named = target.get("subset") in {route.stable, route.canary} if route.stable else "subset" in target
        if named and (
            route.host is None or _full(target.get("host", ""), namespace) == _full(route.host, namespace)
        ):
            return True
    return False


def _destinations(http: Http, route: Route, found: KubeObject) -> list[Mapping[str, Any]]:
    """The destinations of the route's host, which defaults to that of the first with a subset."""
    every = [item for item in http.get("route", []) if "destination" in item]
    namespace = _namespace(found)
    host = route.host or next(
        (item["destination"]["host"] for item in every if item["destination"].get("subset")),
        every[0]["destination"]["host"] if every else "",
    )
    ours = [item for item in every if _full(item["destination"]["host"], namespace) == _full(host, namespace)]
    if not ours:
        raise RunnerError(f"{_title(found)}: its http route has no destination of host {host!r}")
    return ours


def _weight(destination: Mapping[str, Any], all_of_them: Sequence[Mapping[str, Any]]) -> int:
    if len(all_of_them) == 1:
        return 100
    return int(destination.get("weight", 0))


def _refuse_strangers(found: KubeObject, http: Http, route: Route, split: Split) -> None:
    """Traffic that this playbook knows nothing of is not taken from anybody."""
    known = {route.stable, route.canary, *split}
    destinations = http.get("route", [])
    ours = _destinations(http, route, found)
    for destination in destinations:
        subset = destination.get("destination", {}).get("subset", "")
        if _weight(destination, destinations) and (destination not in ours or subset not in known):
            host = destination.get("destination", {}).get("host")
            raise RunnerError(
                f"{_title(found)}: {_weight(destination, destinations)} % goes to {host} {subset or '(no subset)'},"
                f" which route {route.name!r} does not declare",
                hint="declare it with `weights:` in a shift, or take its traffic away first",
            )


def _weighted(http: Http, route: Route, found: KubeObject, split: Split) -> list[Mapping[str, Any]]:
    ours = _destinations(http, route, found)
    present = [destination["destination"].get("subset", "") for destination in ours]
    template = next((item for item in ours if item["destination"].get("subset") == route.stable), ours[0])
    changed: list[Mapping[str, Any]] = []
    for destination in http.get("route", []):
        if destination in ours:
            changed.append({**destination, "weight": split[destination["destination"].get("subset", "")]})
        else:
            changed.append(destination)
    for subset in split:
        if subset not in present:
            target = {**template["destination"], "subset": subset}
            changed.append({**template, "destination": target, "weight": split[subset]})
    return changed


def _full(host: str, namespace: str) -> str:
    """A short name is meant in the VirtualService's namespace; any dot makes it a full one."""
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


def _namespace(found: KubeObject) -> str:
    return str(found.get("metadata", {}).get("namespace", "default"))


def _title(found: KubeObject) -> str:
    return f"VirtualService {_namespace(found)}/{found.get('metadata', {}).get('name', '?')}"
