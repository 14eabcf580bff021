"""Where requests go by the VirtualServices, DestinationRules, Services and pods that are there now.

Facts: weights are proportions; the first http route that matches takes the request; a subset that no
DestinationRule names is an unknown cluster (503 NC), one without a ready pod has no healthy host (503 UH),
and a request that no route matches is a 404 NR. Only the caller's proxy sees these. Source: Envoy's response
flags, Istio's traffic management pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.sandbox.faults import Faults
from runner.sandbox.hosts import full_name, request_for, service_of, takes
from runner.sandbox.kinds import ISTIO, Key
from runner.sandbox.podstatus import ready
from runner.sandbox.registry import Registry
from runner.sandbox.setup import Stream
from runner.sandbox.traffic import Branch, Endpoint, Flow, Latency

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mesh:
    """The mesh as *registry* configures it and *faults* trouble it, at this moment."""

    registry: Registry
    faults: Faults

    def flow(self, stream: Stream) -> Flow:
        """Where the requests of *stream* go."""
        branches = tuple(self.faults.troubled(stream, branch) for branch in self._branches(stream))
        return Flow(self.faults.rate(stream) if self._open(stream) else 0.0, branches)

    def serves(self, stream: Stream) -> bool:
        """Whether a pod could answer *stream* at all, whatever the routes say."""
        return bool(self.endpoints(full_name(stream.host, stream.namespace)))

    def endpoints(self, host: str) -> tuple[Endpoint, ...]:
        """The ready pods behind the Service with the full name *host*."""
        place = service_of(host)
        service = self.registry.find(Key("", "Service", *place)) if place else None
        selector = (service or {}).get("spec", {}).get("selector")
        if not place or not selector:
            return ()
        pods = self.registry.all("", "Pod", place[0])
        return tuple(_endpoint(pod) for pod in pods if ready(pod) and _carries(pod, selector))

    def subsets(self, host: str) -> Mapping[str, Json]:
        """The labels of every subset of *host*; where a name is written twice the first counts."""
        found: dict[str, Json] = {}
        for rule in self.registry.all(ISTIO, "DestinationRule"):
            if full_name(rule["spec"].get("host", ""), rule["metadata"]["namespace"]) == host:
                for subset in rule["spec"].get("subsets") or []:
                    found.setdefault(subset["name"], subset.get("labels") or {})
        return found

    def _open(self, stream: Stream) -> bool:
        places = (gateway.split("/", 1) for gateway in stream.gateways)
        return all(self.registry.find(Key(ISTIO, "Gateway", *place)) for place in places)

    def _branches(self, stream: Stream) -> Iterator[Branch]:
        host = full_name(stream.host, stream.namespace)
        service = self._virtual_service(stream, host)
        if service is None:
            yield from self._spread(stream, host, "", 1.0)
            return
        routes = service["spec"].get("http") or []
        request = request_for(stream.load, _entry(stream, routes))
        route = next((route for route in routes if takes(route, request)), None)
        if route is None:
            yield Branch(1.0, host, "", code=404, flags="NR")
            return
        yield from self._routed(stream, route, service["metadata"]["namespace"])

    def _routed(self, stream: Stream, route: Json, namespace: str) -> Iterator[Branch]:
        aborted, code = _abort(route)
        host = full_name(stream.host, stream.namespace)
        if aborted:
            yield Branch(aborted, host, "", code=code, flags="FI")
        if route.get("redirect") or route.get("directResponse"):
            status = (route.get("directResponse") or {}).get("status", 301)
            yield Branch(1.0 - aborted, host, "", code=status)
            return
        for share, destination in _shares(route.get("route") or []):
            target = full_name(destination.get("host", ""), namespace)
            yield from self._spread(stream, target, destination.get("subset", ""), share * (1.0 - aborted))

    def _virtual_service(self, stream: Stream, host: str) -> Json | None:
        """The one that the playbook names, else the oldest one for the same host inside the mesh."""
        if stream.virtual_service:
            key = Key(ISTIO, "VirtualService", stream.namespace, stream.virtual_service)
            if found := self.registry.find(key):
                return found
        others = [
            service
            for service in self.registry.all(ISTIO, "VirtualService")
            if "mesh" in (service["spec"].get("gateways") or ["mesh"])
            and host
            in {full_name(name, service["metadata"]["namespace"]) for name in service["spec"]["hosts"]}
        ]
        return min(others, key=lambda service: service["metadata"]["creationTimestamp"], default=None)

    def _spread(self, stream: Stream, host: str, subset: str, share: float) -> Iterator[Branch]:
        """*share* evenly over the ready pods of a subset, or of the whole Service where *subset* is empty."""
        known = self.subsets(host)
        if subset and subset not in known:
            yield Branch(share, host, subset, code=503, flags="NC")
            return
        pods = [
            pod for pod in self.endpoints(host) if known.get(subset, {}).items() <= dict(pod.labels).items()
        ]
        if not pods:
            yield Branch(share, host, subset, code=503, flags="UH")
        for pod in pods:
            latency = Latency(stream.latency)
            yield Branch(share / len(pods), host, subset or subset_of(pod, known), pod, latency=latency)

    def belongs(self, stream: Stream, subset: str, labels: Json) -> bool:
        """Whether a pod with *labels* serves *subset*, or the Service at all where *subset* is empty."""
        host = full_name(stream.host, stream.namespace)
        place = service_of(host)
        service = self.registry.find(Key("", "Service", *place)) if place else None
        selector = (service or {}).get("spec", {}).get("selector") or {"app": stream.host}
        named = dict(stream.labels).get(subset, subset)
        wanted = self.subsets(host).get(subset) or {"version": named}
        return bool(selector.items() <= labels.items() and (not subset or wanted.items() <= labels.items()))


def subset_of(pod: Endpoint, known: Mapping[str, Json]) -> str:
    """The first of the *known* subsets that *pod* belongs to, else its version."""
    labels = dict(pod.labels)
    named = (name for name, wanted in known.items() if wanted.items() <= labels.items())
    return next(named, pod.label("version", "app.kubernetes.io/version"))


def workload_of(metadata: Json) -> str:
    """The Deployment of a pod, by the name of its ReplicaSet; the pod itself where it has none."""
    owners = metadata.get("ownerReferences") or []
    sets = (owner["name"] for owner in owners if owner["kind"] == "ReplicaSet")
    return next((str(name.rpartition("-")[0]) for name in sets), str(metadata["name"]))


def _carries(pod: Json, wanted: Json) -> bool:
    return bool(wanted.items() <= (pod["metadata"].get("labels") or {}).items())


def _endpoint(pod: Json) -> Endpoint:
    metadata = pod["metadata"]
    return Endpoint(
        pod=metadata["name"],
        namespace=metadata["namespace"],
        workload=workload_of(metadata),
        address=pod["status"].get("podIP", ""),
        labels=tuple(sorted((metadata.get("labels") or {}).items())),
    )


def _entry(stream: Stream, routes: list[Json]) -> Json | None:
    """The http route that the playbook moves: the one it names, else the only one with its subsets."""
    if isinstance(stream.http, int):
        return routes[stream.http] if stream.http < len(routes) else None
    if stream.http is not None:
        return next((route for route in routes if route.get("name") == stream.http), None)
    wanted = {stream.canary, stream.stable}
    return next(
        (
            route
            for route in routes
            if wanted & {item.get("destination", {}).get("subset") for item in route.get("route") or []}
        ),
        None,
    )


def _shares(destinations: list[Json]) -> Iterator[tuple[float, Json]]:
    """Each destination's part of the whole; a single one has all of it, whatever its weight."""
    if len(destinations) == 1:
        yield 1.0, destinations[0].get("destination") or {}
        return
    total = sum(item.get("weight", 0) for item in destinations)
    for item in destinations:
        if item.get("weight", 0):
            yield item["weight"] / total, item.get("destination") or {}


def _abort(route: Json) -> tuple[float, int]:
    abort = (route.get("fault") or {}).get("abort") or {}
    share = (abort.get("percentage") or {}).get("value", 100) if abort else 0
    return share / 100, abort.get("httpStatus", 500)
