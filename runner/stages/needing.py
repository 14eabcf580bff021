"""What a run and its rollback must be allowed to do; every stage kind says its part."""

from collections.abc import Iterator

from runner.model.playbook import Playbook, Route
from runner.model.stages import KubeObject
from runner.ports import Permission

ISTIO = "networking.istio.io"
IRREGULAR = {"endpoints": "endpoints", "ingress": "ingresses", "gatewayclass": "gatewayclasses"}


def plural(kind: str) -> str:
    """The resource of a kind as the API server spells it; regular English, as CRDs use it."""
    name = kind.lower()
    if name in IRREGULAR:
        return IRREGULAR[name]
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def to_apply(found: KubeObject, *, if_absent: bool) -> Iterator[Permission]:
    """Server-side apply is a patch that may create; where only absent objects are made it is get and create."""
    group = found["apiVersion"].rpartition("/")[0]
    resource, metadata = plural(found["kind"]), found["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    yield Permission("get", group, resource, namespace, name)
    if not if_absent:
        yield Permission("patch", group, resource, namespace, name)
    yield Permission("create", group, resource, namespace)


def to_move(route: Route) -> Iterator[Permission]:
    """A conditional write of one object, and a look at what stands behind it."""
    namespace, name = route.namespace, route.virtual_service
    yield Permission("get", ISTIO, "virtualservices", namespace, name)
    yield Permission("update", ISTIO, "virtualservices", namespace, name)
    yield Permission("list", ISTIO, "destinationrules", namespace)
    yield Permission("get", "", "services", namespace)
    yield Permission("list", "", "pods", namespace)


def to_scale(namespace: str, deployment: str) -> Iterator[Permission]:
    """A conditional write of one Deployment, unless something scales it already."""
    yield Permission("get", "apps", "deployments", namespace, deployment)
    yield Permission("update", "apps", "deployments", namespace, deployment)
    yield Permission("list", "autoscaling", "horizontalpodautoscalers", namespace)


def to_hold(playbook: Playbook) -> Iterator[Permission]:
    """The lease of every route."""
    for route in playbook.routes:
        for verb in ("get", "update", "create"):
            yield Permission(verb, "coordination.k8s.io", "leases", route.namespace)
