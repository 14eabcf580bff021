"""The least Role that lets a run, and its rollback, do what they do."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from runner.ports import Permission

RULES = "rbac.authorization.k8s.io"


def roles(name: str, permissions: Sequence[Permission]) -> list[dict[str, Any]]:
    """A Role for each namespace, and a ClusterRole for what belongs to none."""
    by_namespace: dict[str, list[Permission]] = defaultdict(list)
    for permission in permissions:
        by_namespace[permission.namespace].append(permission)
    return [_role(name, namespace, needed) for namespace, needed in sorted(by_namespace.items())]


def _role(name: str, namespace: str, needed: Sequence[Permission]) -> dict[str, Any]:
    metadata = {"name": f"runner-{name}", **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{RULES}/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": _rules(needed),
    }


def _rules(needed: Sequence[Permission]) -> list[dict[str, Any]]:
    """One rule for each set of verbs on the same resource; names where the verbs can be held to them."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for permission in needed:
        names[permission.group, permission.resource, permission.verb].add(permission.name)
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, verb), found in sorted(names.items()):
        held = tuple(sorted(found)) if "" not in found else ()
        verbs[group, resource, held].append(verb)
    return [
        {
            "apiGroups": [group],
            "resources": [resource],
            **({"resourceNames": list(held)} if held else {}),
            "verbs": found,
        }
        for (group, resource, held), found in verbs.items()
    ]
