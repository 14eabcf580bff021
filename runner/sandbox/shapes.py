"""Which lists and maps of an object merge item by item, and which are one value.

Sources: the `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type` marks of
Kubernetes' OpenAPI document. Custom resources mark nothing of theirs, so there every list is one value:
`spec.http` of a VirtualService has one owner.
"""

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

Names = tuple[str, ...]
"""Field names from the root of an object, list items left out."""

ItemKey = tuple[str, ...]


class Form(Enum):
    """How a value merges where it is no list of keyed items."""

    GRANULAR = "granular"
    ATOMIC = "atomic"
    SET = "set"


POD_SPECS: Mapping[str, Names] = {
    "Pod": ("spec",),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
IN_CONTAINER: Mapping[str, ItemKey] = {
    "ports": ("containerPort", "protocol"),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
}
IN_POD: Mapping[Names, ItemKey] = {
    ("volumes",): ("name",),
    ("imagePullSecrets",): ("name",),
    ("hostAliases",): ("ip",),
    ("topologySpreadConstraints",): ("topologyKey", "whenUnsatisfiable"),
    **{(group,): ("name",) for group in CONTAINERS},
    **{(group, field): key for group in CONTAINERS for field, key in IN_CONTAINER.items()},
}
ELSEWHERE: Mapping[tuple[str, Names], ItemKey] = {
    ("Service", ("spec", "ports")): ("port", "protocol"),
    ("ServiceAccount", ("secrets",)): ("name",),
}
ONE_VALUE = frozenset(
    {
        *(
            (kind, ("spec", "selector"))
            for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")
        ),
        ("Service", ("spec", "selector")),
        ("PersistentVolumeClaim", ("spec", "selector")),
    }
)
ONE_VALUE_IN_POD = frozenset({("nodeSelector",)})
KEY_DEFAULTS = {"protocol": "TCP"}


@cache
def keys_of(kind: str, names: Names) -> ItemKey | None:
    """The fields that name an item of the list at *names*; None where the list has no such fields."""
    if names == ("metadata", "ownerReferences"):
        return ("uid",)
    if names == ("status", "conditions"):
        return ("type",)
    pod = POD_SPECS.get(kind)
    if pod and names[: len(pod)] == pod:
        return IN_POD.get(names[len(pod) :])
    return ELSEWHERE.get((kind, names))


@cache
def form_of(kind: str, names: Names) -> Form:
    """How a map, or a list without item keys, at *names* merges."""
    if names == ("metadata", "finalizers"):
        return Form.SET
    pod = POD_SPECS.get(kind)
    inside = names[len(pod) :] if pod and names[: len(pod)] == pod else None
    return Form.ATOMIC if (kind, names) in ONE_VALUE or inside in ONE_VALUE_IN_POD else Form.GRANULAR


def item_name(key: ItemKey, item: Mapping[str, Any]) -> str:
    """How managedFields writes a list item: `k:` and the JSON of its key fields."""
    named = {field: item.get(field, KEY_DEFAULTS.get(field)) for field in sorted(key)}
    return "k:" + json.dumps(named, separators=(",", ":"))


def value_name(value: Any) -> str:
    """How managedFields writes a member of a set: `v:` and its JSON."""
    return "v:" + json.dumps(value, separators=(",", ":"))
