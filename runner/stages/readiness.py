"""Whether objects, and the subsets behind a split, are ready for traffic."""

import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.engine.program import Condition, ObjectsReady, SubsetsReady
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.model.stages import KubeObject
from runner.ports import Cluster, ObjectRef
from runner.routers import istio
from runner.stages.shift import live


@dataclass(frozen=True, slots=True)
class Look:
    """What a look showed: ready, or why not yet; *fatal* when waiting longer cannot help.

    *missing* is what nobody has declared: where it stays away, the release has not been judged.
    """

    ready: bool
    reason: str = ""
    fatal: bool = False
    missing: bool = False


READY = Look(ready=True)


def look(
    condition: Condition, playbook: Playbook, cluster: Cluster, safe: Mapping[str, Split | None]
) -> Look:
    """One look at *condition*; the pods of a route's *safe* split are those that served before."""
    match condition:
        case ObjectsReady(objects=objects):
            return _first_not_ready(_object_ready(cluster, ObjectRef(*names)) for names in objects)
        case SubsetsReady(route=name, split=split):
            enough = safe.get(name) if condition.check_capacity else None
            return _subsets_ready(cluster, playbook.route(name), split, enough)


def _first_not_ready(looks: Iterable[Look]) -> Look:
    return next((found for found in looks if not found.ready), READY)


def _object_ready(cluster: Cluster, ref: ObjectRef) -> Look:
    """Kinds that have no readiness of their own are ready once they exist, and are not asked for."""
    if ref.kind not in READINESS:
        return READY
    found = cluster.get(ref)
    if found is None:
        return Look(ready=False, reason=f"{ref} does not exist")
    reason = READINESS[ref.kind](found)
    if reason is None:
        return READY
    return Look(ready=False, reason=f"{ref}: {reason}{_why(cluster, found)}", fatal=_hopeless(found))


def _deployment(found: KubeObject) -> str | None:
    """Ready is: the newest generation was observed, all replicas are of it, available, and no old ones are left.

    Source: Kubernetes documentation, Deployment status, as `kubectl rollout status` reads it.
    """
    status, wanted = found.get("status", {}), int(found.get("spec", {}).get("replicas", 1))
    if int(status.get("observedGeneration", 0)) < int(found["metadata"].get("generation", 0)):
        return "not observed yet"
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    if updated < wanted:
        return f"{updated} of {wanted} replicas are of the new version"
    if int(status.get("replicas", 0)) > updated:
        return f"{int(status['replicas']) - updated} old replicas are still there"
    return None if available >= wanted else f"{available} of {wanted} replicas are available"


def _stateful(found: KubeObject) -> str | None:
    status, wanted = found.get("status", {}), int(found.get("spec", {}).get("replicas", 1))
    ready = int(status.get("readyReplicas", 0))
    return None if ready >= wanted else f"{ready} of {wanted} replicas are ready"


def _daemon(found: KubeObject) -> str | None:
    status = found.get("status", {})
    wanted, ready = int(status.get("desiredNumberScheduled", 0)), int(status.get("numberReady", 0))
    return None if ready >= wanted else f"{ready} of {wanted} pods are ready"


def _established(found: KubeObject) -> str | None:
    return None if _condition(found, "Established") == "True" else "not established yet"


def _job(found: KubeObject) -> str | None:
    return None if _condition(found, "Complete") == "True" else "not complete yet"


READINESS = {
    "Deployment": _deployment,
    "StatefulSet": _stateful,
    "DaemonSet": _daemon,
    "CustomResourceDefinition": _established,
    "Job": _job,
}


def _condition(found: KubeObject, kind: str) -> str:
    conditions = found.get("status", {}).get("conditions", [])
    return next((str(item.get("status")) for item in conditions if item.get("type") == kind), "Unknown")


def _hopeless(found: KubeObject) -> bool:
    """What the controller itself has given up on, of the object as it is now."""
    status = found.get("status", {})
    if int(status.get("observedGeneration", 0)) < int(found["metadata"].get("generation", 0)):
        return False
    return any(
        (item.get("reason") == "ProgressDeadlineExceeded" and item.get("status") == "False")
        or (item.get("type") == "Failed" and item.get("status") == "True")
        for item in status.get("conditions", [])
    )


def _why(cluster: Cluster, found: KubeObject) -> str:
    """What the first pod that is not ready says of itself."""
    labels = found.get("spec", {}).get("selector", {}).get("matchLabels")
    if not labels:
        return ""
    for pod in cluster.list("v1", "Pod", found["metadata"].get("namespace", ""), labels):
        for container in pod.get("status", {}).get("containerStatuses", []):
            waiting = container.get("state", {}).get("waiting")
            if waiting:
                return f" ({pod['metadata']['name']}: {waiting.get('reason', 'waiting')})"
    return ""


def _subsets_ready(cluster: Cluster, route: Route, split: Split, before: Split | None) -> Look:
    """Four reads, however many subsets there are: the VirtualService, its Service, their DestinationRules, the pods."""
    found = live(cluster, route)
    if found is None:
        return READY  # the write itself says what is missing, with the line that helps
    if istio.read(found, route) == split:
        before = None  # it is served already: that it fits was asked when it was set
    host = istio.host_of(found, route)
    namespace, selector = _service(cluster, host)
    labels = _subset_labels(cluster, route, host, namespace)
    for subset in split:
        if subset not in labels:
            return _undefined(route.namespace, host, subset, labels)
    ready = _ready_pods(cluster, namespace, selector, labels)
    for subset in split:
        needed = _needed(ready, before, split[subset], subset)
        if ready[subset] < needed:
            return Look(ready=False, reason=_short(subset, ready[subset], needed, split[subset]))
    return READY


def _undefined(namespace: str, host: str, subset: str, labels: Mapping[str, Mapping[str, str]]) -> Look:
    names = ", ".join(sorted(labels)) or "none"
    reason = f"no DestinationRule of {host} defines subset {subset!r} (defined: {names})"
    hint = f"an earlier apply stage defines it, or: kubectl apply -n {shlex.quote(namespace)} -f FILE"
    return Look(ready=False, reason=f"{reason}\n{hint}", missing=True)


def _short(subset: str, ready: int, needed: int, share: int) -> str:
    if not ready:
        return f"subset {subset} has no ready endpoint"
    pods = "pod" if ready == 1 else "pods"
    return (
        f"subset {subset} has {ready} ready {pods}, its {share} % of what served before needs {needed}\n"
        "scale it up before the shift, or write `capacity: ignore` in the shift"
    )


def _service(cluster: Cluster, host: str) -> tuple[str, Mapping[str, str]]:
    """The namespace and the pod selector of a host's Service; an unknown host selects by subset labels alone."""
    name, _, rest = host.partition(".")
    namespace = rest.split(".")[0]
    found = cluster.get(ObjectRef("v1", "Service", namespace, name))
    return namespace, (found or {}).get("spec", {}).get("selector") or {}


def _subset_labels(cluster: Cluster, route: Route, host: str, namespace: str) -> dict[str, Mapping[str, str]]:
    """Every subset of *host* that a DestinationRule in the route's or the host's namespace defines."""
    found: dict[str, Mapping[str, str]] = {}
    for where in dict.fromkeys((route.namespace, namespace)):
        for rule in cluster.list("networking.istio.io/v1", "DestinationRule", where, {}):
            rule_host = rule.get("spec", {}).get("host", "")
            full = rule_host if "." in rule_host else f"{rule_host}.{where}.svc.cluster.local"
            if full == host:
                for subset in rule["spec"].get("subsets") or []:
                    found.setdefault(subset["name"], subset.get("labels") or {})
    return found


def _ready_pods(
    cluster: Cluster,
    namespace: str,
    selector: Mapping[str, str],
    subsets: Mapping[str, Mapping[str, str]],
) -> dict[str, int]:
    """How many ready pods each of *subsets*, given by its labels, has among those that *selector* selects."""
    pods = cluster.list("v1", "Pod", namespace, selector)
    ready = [pod["metadata"].get("labels") or {} for pod in pods if _pod_ready(pod)]
    return {
        name: sum(labels.items() <= carried.items() for carried in ready) for name, labels in subsets.items()
    }


def _pod_ready(pod: KubeObject) -> bool:
    leaving = pod.get("metadata", {}).get("deletionTimestamp") is not None
    return not leaving and _condition(pod, "Ready") == "True"


def _needed(ready: Mapping[str, int], before: Split | None, share: int, subset: str) -> int:
    """At least one ready pod; for a growing share, its part of the pods that served before."""
    if before is None or share <= before[subset]:
        return 1
    served = sum(ready.get(name, 0) for name in before)
    return max(1, math.ceil(served * share / 100))
