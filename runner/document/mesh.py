"""What the manifests of a playbook say to Istio: hosts, subsets, destinations, in the order they are applied.

A short host name is meant in the namespace of the object that names it (istio.io, VirtualService reference).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runner.document.tree import at

Applied = Mapping[int, list[dict[str, Any]]]
"""Manifests by index of the stage that applies them."""


class Rule(NamedTuple):
    """A DestinationRule: *stage* and *order* say when it is applied; subsets with their pod labels."""

    stage: int
    order: int
    file: str
    name: str
    namespace: str
    host: str
    subsets: Mapping[str, Mapping[str, str]]


class Service(NamedTuple):
    """A VirtualService: *hosts* in the mesh, none where gateways only use it; *targets* as (host, subset)."""

    stage: int
    order: int
    file: str
    name: str
    namespace: str
    hosts: frozenset[str]
    targets: tuple[tuple[str, str], ...]


class Pods(NamedTuple):
    """A workload's pod labels, or a Service's selector."""

    stage: int
    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]


def destination_rules(applied: Applied) -> list[Rule]:
    """Every DestinationRule, in order."""
    found = []
    for stage, order, file, each in _of_kind(applied, "DestinationRule"):
        host = at(each, ("spec", "host"))
        if isinstance(host, str):
            namespace = _namespace(each)
            subsets = dict(_subsets(each))
            found.append(
                Rule(stage, order, file, _name(each), namespace, full_host(host, namespace), subsets)
            )
    return found


def virtual_services(applied: Applied) -> list[Service]:
    """Every VirtualService, in order."""
    found = []
    for stage, order, file, each in _of_kind(applied, "VirtualService"):
        namespace = _namespace(each)
        hosts = {full_host(host, namespace) for host in _list(each, "hosts") if isinstance(host, str)}
        gateways = _list(each, "gateways") or ["mesh"]
        mesh = frozenset(hosts) if "mesh" in gateways else frozenset[str]()
        found.append(
            Service(stage, order, file, _name(each), namespace, mesh, tuple(_targets(each, namespace)))
        )
    return found


def pods(applied: Applied) -> list[Pods]:
    """Deployments with the labels of their pods, and Services with their selectors."""
    places = {"Deployment": ("spec", "template", "metadata", "labels"), "Service": ("spec", "selector")}
    return [
        Pods(stage, kind, _name(each), _namespace(each), labels)
        for kind, path in places.items()
        for stage, _, _, each in _of_kind(applied, kind)
        if isinstance(labels := at(each, path), dict)
    ]


def full_host(host: str, namespace: str) -> str:
    """The full name of a host; names outside the cluster stay as they are."""
    if "." not in host and host != "*":
        return f"{host}.{namespace}.svc.cluster.local"
    return f"{host}.cluster.local" if host.endswith(".svc") else host


def _of_kind(applied: Applied, kind: str) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    for stage in sorted(applied):
        for order, manifest in enumerate(applied[stage]):
            if manifest["object"]["kind"] == kind:
                yield stage, order, manifest["file"], manifest["object"]


def _name(each: Mapping[str, Any]) -> str:
    return str(at(each, ("metadata", "name"), ""))


def _namespace(each: Mapping[str, Any]) -> str:
    return str(at(each, ("metadata", "namespace"), ""))


def _list(each: Mapping[str, Any], key: str) -> list[Any]:
    found = at(each, ("spec", key))
    return found if isinstance(found, list) else []


def _subsets(each: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for subset in _list(each, "subsets"):
        if isinstance(subset, dict) and isinstance(subset.get("name"), str):
            labels = subset.get("labels")
            yield subset["name"], labels if isinstance(labels, dict) else {}


def _targets(each: Mapping[str, Any], namespace: str) -> Iterator[tuple[str, str]]:
    for http in _list(each, "http"):
        destinations = http.get("route") if isinstance(http, dict) else None
        for destination in destinations if isinstance(destinations, list) else ():
            host = at(destination, ("destination", "host"))
            subset = at(destination, ("destination", "subset"))
            if isinstance(host, str) and isinstance(subset, str):
                yield full_host(host, namespace), subset
