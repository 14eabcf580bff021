"""What the API server and Istio's webhook refuse, in their words.

Sources: k8s.io/kubernetes pkg/apis/{core,apps}/validation; istio.io/istio pkg/config/validation. The messages
of the webhook were seen on istiod 1.30.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.sandbox.kinds import Key

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
WEBHOOK = 'admission webhook "validation.istio.io" denied the request: configuration is invalid: '

FIELDS: Mapping[str, frozenset[str]] = {
    place: frozenset(names.split())
    for place, names in {
        "VirtualService": "hosts gateways http tls tcp exportTo",
        "VirtualService.http": "name match route redirect directResponse delegate rewrite timeout retries "
        "fault mirror mirrors mirrorPercent mirror_percent mirrorPercentage corsPolicy headers",
        "VirtualService.http.route": "destination weight headers",
        "VirtualService.http.route.destination": "host subset port",
        "DestinationRule": "host trafficPolicy subsets exportTo workloadSelector",
        "DestinationRule.subsets": "name labels trafficPolicy",
        "Gateway": "servers selector",
        "Deployment": "replicas selector template strategy minReadySeconds revisionHistoryLimit paused "
        "progressDeadlineSeconds",
    }.items()
}
"""Field names below `spec`, lists passed through; anything else is a misspelling."""


TOP: Mapping[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData", "immutable"),
    "Secret": ("data", "stringData", "type", "immutable"),
    "ServiceAccount": ("secrets", "imagePullSecrets", "automountServiceAccountToken"),
    "Role": ("rules",),
    "ClusterRole": ("rules", "aggregationRule"),
    "RoleBinding": ("roleRef", "subjects"),
    "ClusterRoleBinding": ("roleRef", "subjects"),
    "Endpoints": ("subsets",),
    "EndpointSlice": ("addressType", "endpoints", "ports"),
}
"""What an object has beside apiVersion, kind and metadata, where that is not spec and status."""

OPEN = frozenset({"Event"})


def unknown_fields(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that strict decoding refuses, as the API server writes them: `spec.http[0].rout`."""
    kind = str(body.get("kind"))
    top = frozenset({"apiVersion", "kind", "metadata", *TOP.get(kind, ("spec", "status"))})
    misspelt = (name for name in body if kind not in OPEN and name not in top)
    return (*misspelt, *_unknown(kind, body.get("spec"), "spec"))


def mistyped(body: Mapping[str, Any]) -> str | None:
    """The server's message about a value that is no text where one must be, or None."""
    if body.get("kind") != "ConfigMap":
        return None
    for name, value in (body.get("data") or {}).items():
        if not isinstance(value, str):
            return (
                f"failed to create typed patch object: .data.{name}: expected string, got {json.dumps(value)}"
            )
    return None


def _unknown(place: str, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(place, item, f"{path}[{index}]")
    elif isinstance(value, Mapping) and place in FIELDS:
        for name, inner in value.items():
            if name in FIELDS[place]:
                yield from _unknown(f"{place}.{name}", inner, f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def invalid(key: Key, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str | None:
    """The server's message why *new* cannot replace *old*, or None."""
    causes = tuple(_causes(old, new))
    if not causes:
        return None
    qualified = f"{key.kind}.{key.group}" if key.group else key.kind
    listed = causes[0] if len(causes) == 1 else "[" + ", ".join(causes) + "]"
    return f'{qualified} "{key.name}" is invalid: {listed}'


def denied(body: Mapping[str, Any]) -> str | None:
    """The message of Istio's validating webhook, or None."""
    match body.get("kind"):
        case "VirtualService":
            found = tuple(_virtual_service(body.get("spec") or {}))
        case "DestinationRule":
            found = tuple(_destination_rule(body.get("spec") or {}))
        case _:
            found = ()
    if len(found) > 1:
        return WEBHOOK + f"{len(found)} errors occurred: " + "; ".join(found)
    return WEBHOOK + found[0] if found else None


def _causes(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Iterator[str]:
    metadata = new.get("metadata") or {}
    name = str(metadata.get("name", ""))
    if not SUBDOMAIN.fullmatch(name) or len(name) > 253:
        yield (
            f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower '
            "case alphanumeric characters, '-' or '.', and start and end with an alphanumeric character"
        )
    for label, value in (metadata.get("labels") or {}).items():
        if not isinstance(value, str) or len(value) > 63 or not LABEL_VALUE.fullmatch(value):
            yield f"metadata.labels: Invalid value: {json.dumps(value)}: no valid value for {label}"
    match new.get("kind"):
        case "Deployment":
            yield from _deployment((old or {}).get("spec"), new.get("spec") or {})
        case "Service":
            yield from _service((old or {}).get("spec"), new.get("spec") or {})


def _deployment(old: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> Iterator[str]:
    replicas = spec.get("replicas")
    if isinstance(replicas, int) and replicas < 0:
        yield f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector and not (spec.get("selector") or {}).get("matchExpressions"):
        yield "spec.selector: Required value"
    elif not selector.items() <= labels.items():
        shown = f"Invalid value: {json.dumps(labels)}"
        yield f"spec.template.metadata.labels: {shown}: `selector` does not match template `labels`"
    if old is not None and old.get("selector") != spec.get("selector"):
        yield f"spec.selector: Invalid value: {json.dumps(spec.get('selector'))}: field is immutable"
    yield from _containers((template.get("spec") or {}).get("containers"))


def _containers(containers: Any) -> Iterator[str]:
    if not isinstance(containers, list) or not containers:
        yield "spec.template.spec.containers: Required value"
        return
    for index, container in enumerate(containers):
        for field in ("name", "image"):
            if not container.get(field):
                yield f"spec.template.spec.containers[{index}].{field}: Required value"


def _service(old: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> Iterator[str]:
    if not spec.get("ports") and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield "spec.ports: Required value"
    if old is not None and old.get("clusterIP") and old.get("clusterIP") != spec.get("clusterIP"):
        yield f'spec.clusterIPs[0]: Invalid value: ["{spec.get("clusterIP")}"]: may not change once set'


def _virtual_service(spec: Mapping[str, Any]) -> Iterator[str]:
    hosts, http = spec.get("hosts") or [], spec.get("http") or []
    if not hosts and not any(isinstance(route, Mapping) and route.get("delegate") for route in http):
        yield "virtual service must have at least one host"
    if not http and not spec.get("tcp") and not spec.get("tls"):
        yield "http, tcp or tls must be provided in virtual service"
    for route in http:
        yield from _http_route(route)


def _http_route(route: Mapping[str, Any]) -> Iterator[str]:
    destinations = route.get("route") or []
    if not destinations and not any(route.get(other) for other in ("redirect", "directResponse", "delegate")):
        yield "HTTP route, redirect or direct_response is required"
    for destination in destinations:
        if not (destination.get("destination") or {}).get("host"):
            yield (
                "destination host is required"
                if destination.get("destination")
                else "destination is required"
            )
    yield from _weights([destination.get("weight", 0) for destination in destinations])


def _weights(weights: Sequence[Any]) -> Iterator[str]:
    numbers = [weight for weight in weights if isinstance(weight, int)]
    for weight in numbers:
        if weight < 0:
            yield f"weight {weight} < 0"
    if len(weights) > 1 and sum(numbers) == 0:
        yield "total destination weight = 0"


def _destination_rule(spec: Mapping[str, Any]) -> Iterator[str]:
    if not spec.get("host"):
        yield "destination rule host is required: host name must not be empty"
    names = [subset.get("name") for subset in spec.get("subsets") or []]
    for name in sorted({name for name in names if names.count(name) > 1 and name}):
        yield f"duplicate subset names: {name}"
    if any(not name for name in names):
        yield "subset name is required"
