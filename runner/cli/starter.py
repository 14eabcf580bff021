"""The first playbook of a service of one's own, as text, and what a live VirtualService says about it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.errors import RunnerError
from runner.model.stages import KubeObject

# The labels that Istio reads a pod's revision from, in its order.
VERSION_LABELS = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Service:
    """What a starter says; *revision* is the canary's in the metrics, *http* its route among several."""

    name: str
    namespace: str = "default"
    host: str = ""
    canary: str = "v2"
    revision: str = ""
    http: str | int | None = None
    origin: str = "A first playbook: put in your own names, then run `runner validate` on it."


def playbook(service: Service, *, schema: str, prometheus: str) -> str:
    """The text of a playbook that moves *service* in three gated steps."""
    revision = service.revision or service.canary
    same = revision == service.canary
    words = {
        "schema": schema,
        "origin": service.origin,
        "service": _scalar(service.name),
        "title": service.name,
        "namespace": _scalar(service.namespace),
        "prometheus": prometheus,
        "canary": _scalar(service.canary),
        "revision": "" if same else f", revision: {_scalar(revision)}",
        "http": "" if service.http is None else f", http: {_scalar(service.http)}",
        "labels": _labels(service.host or service.name, "canary" if same else "revision"),
    }
    return re.sub(r"<(\w+)>", lambda found: words[found[1]], _PLAYBOOK)


def _labels(host: str, variable: str) -> str:
    return f'destination_service_name="{_short(host)}",destination_canonical_revision="{{{{ {variable} }}}}"'


def _scalar(value: str | int) -> str:
    """*value* as a YAML scalar that every reader takes for the same."""
    plain = isinstance(value, int) or (re.fullmatch(r"[a-z][a-z0-9-]*", value) and value not in AMBIGUOUS)
    return str(value) if plain else json.dumps(value)


def from_virtual_service(found: KubeObject, rules: Sequence[KubeObject]) -> Service:
    """What the live *found* routes, with the subsets that its host's DestinationRule among *rules* declares.

    RunnerError when no http route sends traffic to subsets, or when there is no second subset to release.
    """
    name, namespace = found["metadata"]["name"], found["metadata"].get("namespace", "default")
    routes = _subset_routes(found)
    if not routes:
        raise RunnerError(
            f"no http route of VirtualService {namespace}/{name} sends traffic to subsets",
            hint="declare subsets in a DestinationRule and let the route name one of them",
        )
    index, route = _chosen(routes)
    weights = _weights(route)
    stable = max(weights, key=lambda subset: weights[subset])
    host = next(d["destination"]["host"] for d in route["route"] if d["destination"].get("subset") == stable)
    declared = _declared(rules, host, namespace)
    canary = _canary(declared, weights, stable, host)
    return Service(
        name=name,
        namespace=namespace,
        host=host,
        canary=canary,
        revision=_revision(declared.get(canary, {})) or canary,
        http=(route.get("name") or index) if len(routes) > 1 else None,
        origin=f"Made from VirtualService {namespace}/{name}, which gives {_shares(weights)}.",
    )


def _subset_routes(found: KubeObject) -> list[tuple[int, Mapping[str, Any]]]:
    http = found.get("spec", {}).get("http") or []
    return [(n, route) for n, route in enumerate(http) if _weights(route)]


def _chosen(routes: list[tuple[int, Mapping[str, Any]]]) -> tuple[int, Mapping[str, Any]]:
    """The route that everybody takes: the one without a match, else the last."""
    return next((item for item in routes if not item[1].get("match")), routes[-1])


def _weights(route: Mapping[str, Any]) -> dict[str, int]:
    """Weight by subset; a single destination without a weight has all."""
    destinations = [d for d in route.get("route") or [] if d.get("destination", {}).get("subset")]
    default = 100 if len(destinations) == 1 else 0
    return {d["destination"]["subset"]: d.get("weight", default) for d in destinations}


def _declared(rules: Sequence[KubeObject], host: str, namespace: str) -> dict[str, Mapping[str, str]]:
    """The labels of each subset of *host*."""
    wanted = _long(host, namespace)
    subsets = [
        subset
        for rule in rules
        if _long(rule["spec"].get("host", ""), namespace) == wanted
        for subset in rule["spec"].get("subsets") or []
    ]
    return {subset["name"]: subset.get("labels") or {} for subset in subsets}


def _canary(declared: Mapping[str, Any], weights: Mapping[str, int], stable: str, host: str) -> str:
    """The newest subset that is not *stable*: the last one declared, else one that has traffic."""
    others = [subset for subset in (*weights, *declared) if subset != stable]
    if not others:
        raise RunnerError(
            f"{stable} is the only subset of {host}; a release needs a second one",
            hint=f"declare the new version's subset in the DestinationRule of {host}, then run this again",
        )
    return others[-1]


def _revision(labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in VERSION_LABELS if label in labels), "")


def _shares(weights: Mapping[str, int]) -> str:
    return " and ".join(f"{weight} % to {subset}" for subset, weight in weights.items())


def _short(host: str) -> str:
    return host.split(".", maxsplit=1)[0]


def _long(host: str, namespace: str) -> str:
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


_PLAYBOOK = """\
# yaml-language-server: $schema=<schema>
# <origin>
apiVersion: runner/v1
kind: Playbook
metadata: {name: "<title>-release", version: 0.1.0, description: Release a new version of <title> behind its gates.}
vars: {canary: <canary><revision>, soak: 5m, every: 30s, window: 1m}
target:
  namespace: <namespace>
  prometheus: <prometheus>
routes:                       # stable is the one subset that has all the traffic when a run starts
  <service>: {virtualService: <service>, canary: "{{ canary }}"<http>}
checks:
  errors:
    ratio:                    # counted requests; fewer than minSamples (30) are no evidence
      bad: sum(increase(istio_requests_total{<labels>,response_code=~"5.."}[{{ window }}]))
      of: sum(increase(istio_requests_total{<labels>}[{{ window }}]))
    max: 0.01
  latency:
    query: histogram_quantile(0.95, sum(rate(istio_request_duration_milliseconds_bucket{<labels>}[{{ window }}])) by (le))
    max: 500
    unit: ms
guards:                       # watched through every stage while the canary has traffic
  - {check: errors, max: 0.05}
stages:
  - name: shift 5
    shift: {route: <service>, canary: 5}
  - name: soak at 5
    wait: "{{ soak }}"
  - name: verify at 5
    verify: {checks: [errors, latency], every: "{{ every }}", count: 5}
  - name: shift 50
    shift: {route: <service>, canary: 50}
  - name: soak at 50
    wait: "{{ soak }}"
  - name: verify at 50
    verify: {checks: [errors, latency], every: "{{ every }}", count: 5}
  - name: shift 100
    shift: {route: <service>, canary: 100}
  - name: verify at 100
    verify: {checks: [errors, latency], every: "{{ every }}", count: 5}
  - name: promote
    promote: {route: <service>}
"""  # noqa: E501 - a query is one line of YAML
