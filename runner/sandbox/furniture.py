"""The objects of an assumed world, and looks into manifests of any shape."""

from collections.abc import Mapping
from typing import Any

from runner.model.split import WHOLE, Split
from runner.model.stages import KubeObject
from runner.sandbox.kinds import group_of

Body = dict[str, Any]


def bare(api_version: str, kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Body:
    """An object with nothing but a spec, where it has one."""
    metadata: Body = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata} | (
        {"spec": dict(spec)} if spec else {}
    )


def deployment(namespace: str, name: str, labels: Mapping[str, str], replicas: int) -> Body:
    """A Deployment of one container whose pods carry *labels*."""
    container = {"name": "app", "image": f"{name}:assumed", "ports": [{"containerPort": 8080}]}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": dict(labels)},
        "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
    }
    body = bare("apps/v1", "Deployment", namespace, name, spec)
    body["metadata"]["labels"] = dict(labels)
    return body


def definition(api_version: str, kind: str) -> Body:
    """A CustomResourceDefinition that makes *kind* known."""
    plural = f"{kind.lower()}s"
    group, version = group_of(api_version), api_version.rpartition("/")[2]
    spec = {
        "group": group,
        "names": {"kind": kind, "plural": plural},
        "scope": "Namespaced",
        "versions": [{"name": version, "served": True, "storage": True}],
    }
    return bare("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", f"{plural}.{group}", spec)


def destination(host: str, subset: str, weight: int) -> Body:
    """One weighted destination of an http route."""
    return {"destination": {"host": host, "subset": subset}, "weight": weight}


def split_of(service: KubeObject) -> Split | None:
    """The split of the first http route that has subsets; None where it is none."""
    for http in maps_in(service, "spec", "http"):
        named = [
            (map_at(item, "destination").get("subset"), item.get("weight", 0))
            for item in maps_in(http, "route")
        ]
        weights = {str(subset): weight for subset, weight in named if subset}
        if len(weights) == 1:
            return Split(tuple((subset, WHOLE) for subset in weights))
        if (
            all(type(weight) is int and weight >= 0 for weight in weights.values())
            and sum(weights.values()) == WHOLE
        ):
            return Split(tuple(sorted((name, weight) for name, weight in weights.items() if weight)))
    return None


def in_words(split: Split) -> str:
    """A split as a sentence ends with it."""
    if len(split.weights) == 1:
        return f"all traffic to {split.weights[0][0]}"
    return ", ".join(f"{weight} % to {subset}" for subset, weight in split.weights)


def map_at(body: Any, *names: str) -> Body:
    """The map below *body* at *names*; an empty one where a manifest has something else."""
    for name in names:
        body = body.get(name) if isinstance(body, Mapping) else None
    return dict(body) if isinstance(body, Mapping) else {}


def maps_in(body: Any, *names: str) -> list[Any]:
    """The maps in the list below *body* at *names*; none where a manifest has something else."""
    found = map_at(body, *names[:-1]).get(names[-1])
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
