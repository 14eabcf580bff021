"""What pods, Deployments and Services say of themselves, in Kubernetes' words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.model.scenario import NotReadyBecause
from runner.sandbox.registry import timestamp

Json = Mapping[str, Any]
Body = dict[str, Any]

WAITING = {
    NotReadyBecause.CRASH: ("CrashLoopBackOff", "back-off 10s restarting failed container"),
    NotReadyBecause.IMAGE: ("ImagePullBackOff", "Back-off pulling image"),
}


def pod(deployment: Json, name: str, template: str, number: int) -> Body:
    """A new pod of *deployment* for its *template*, the *number*-th of the cluster."""
    metadata = deployment["metadata"]
    made = deployment["spec"]["template"]
    labels = {**(made.get("metadata", {}).get("labels") or {}), "pod-template-hash": template}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{metadata['name']}-{template}",
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    annotations = made.get("metadata", {}).get("annotations")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": labels,
            **({"annotations": annotations} if annotations else {}),
            "ownerReferences": [owner],
        },
        "spec": {**made["spec"], "nodeName": f"node-{number % 3 + 1}"},
    }


def status(body: Json, now: int, because: NotReadyBecause | None, *, started: bool, restarts: int) -> Body:
    """The status of a pod that has *started* or not, and is kept from being ready *because* of something."""
    if because is NotReadyBecause.UNSCHEDULABLE:
        message = "0/3 nodes are available: 3 Insufficient cpu."
        unscheduled = _condition("PodScheduled", "False", now, body, "Unschedulable", message)
        return {"phase": "Pending", "conditions": [unscheduled]}
    ready = started and because is None
    running = started and because not in WAITING
    names = [str(container["name"]) for container in body["spec"].get("containers") or []]
    unready = f"containers with unready status: [{' '.join(names)}]"
    reason, message = ("", "") if ready else ("ContainersNotReady", unready)
    return {
        "phase": "Running" if running or because is NotReadyBecause.CRASH else "Pending",
        "podIP": address(body),
        "hostIP": "10.0.0.2",
        "startTime": body["metadata"]["creationTimestamp"],
        "conditions": [
            _condition("PodScheduled", "True", now, body),
            _condition("Initialized", "True", now, body),
            *(
                _condition(name, "True" if ready else "False", now, body, reason, message)
                for name in ("ContainersReady", "Ready")
            ),
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "ready": ready,
                "started": running,
                "restartCount": restarts,
                "state": _state(now, because if started else None, running=running),
            }
            for container in body["spec"].get("containers") or []
        ],
    }


def address(body: Json) -> str:
    """An address for a pod that no other pod of the world has had, as far as 65,000 go."""
    number = int(body["metadata"]["resourceVersion"])
    return f"10.244.{number // 250 % 250}.{number % 250 + 1}"


def _state(now: int, because: NotReadyBecause | None, *, running: bool) -> Body:
    if running:
        return {"running": {"startedAt": timestamp(now)}}
    reason, message = (
        WAITING.get(because, ("ContainerCreating", "")) if because else ("ContainerCreating", "")
    )
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def _condition(name: str, value: str, now: int, body: Json, reason: str = "", message: str = "") -> Body:
    """A condition that keeps its transition time while its status stays."""
    known = (body.get("status") or {}).get("conditions") or []
    before = next((found for found in known if found["type"] == name and found["status"] == value), None)
    since = before["lastTransitionTime"] if before else timestamp(now)
    said = {key: text for key, text in (("reason", reason), ("message", message)) if text}
    return {"type": name, "status": value, "lastTransitionTime": since, **said}


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of a Deployment: wanted, there, of the newest template, ready."""

    desired: int
    all: int
    updated: int
    ready: int

    @property
    def complete(self) -> bool:
        """Whether the rollout has ended."""
        return self.all == self.updated == self.ready == self.desired


def deployment_status(deployment: Json, counts: Counts, now: int, *, late: bool) -> Body:
    """The status of a Deployment; *late* when its progress deadline has passed. Zeros are left out."""
    numbers = {
        "replicas": counts.all,
        "updatedReplicas": counts.updated,
        "readyReplicas": counts.ready,
        "availableReplicas": counts.ready,
        "unavailableReplicas": max(counts.all, counts.desired) - counts.ready,
    }
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **{name: number for name, number in numbers.items() if number},
        "conditions": list(_conditions(deployment, counts, now, late=late)),
    }


def _conditions(deployment: Json, counts: Counts, now: int, *, late: bool) -> Iterator[Body]:
    if counts.ready >= counts.desired - counts.desired // 4:
        message = "Deployment has minimum availability."
        yield _condition("Available", "True", now, deployment, "MinimumReplicasAvailable", message)
    else:
        message = "Deployment does not have minimum availability."
        yield _condition("Available", "False", now, deployment, "MinimumReplicasUnavailable", message)
    newest = f'ReplicaSet for "{deployment["metadata"]["name"]}"'
    if counts.complete:
        message = f"{newest} has successfully progressed."
        yield _condition("Progressing", "True", now, deployment, "NewReplicaSetAvailable", message)
    elif late:
        message = f"{newest} has timed out progressing."
        yield _condition("Progressing", "False", now, deployment, "ProgressDeadlineExceeded", message)
    else:
        yield _condition(
            "Progressing", "True", now, deployment, "ReplicaSetUpdated", f"{newest} is progressing."
        )


def endpoint_slice(service: Json, pods: Sequence[Json]) -> Body:
    """The EndpointSlice of *service* over *pods*, each with its readiness."""
    metadata = service["metadata"]
    return {
        **_of_service(service, "discovery.k8s.io/v1", "EndpointSlice", f"{metadata['name']}-sandbox"),
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": [found["status"]["podIP"]],
                "conditions": {"ready": ready(found), "serving": ready(found), "terminating": False},
                "targetRef": _target(found),
            }
            for found in pods
            if "podIP" in found.get("status", {})
        ],
        "ports": [
            {"name": port.get("name", ""), "port": port["targetPort"], "protocol": port["protocol"]}
            for port in service["spec"].get("ports") or []
        ],
    }


def endpoints(service: Json, pods: Sequence[Json]) -> Body:
    """The older form of the same: an Endpoints object named like its Service."""
    placed = [found for found in pods if "podIP" in found.get("status", {})]
    lists = {
        "addresses": [_address(found) for found in placed if ready(found)],
        "notReadyAddresses": [_address(found) for found in placed if not ready(found)],
    }
    filled = {name: addresses for name, addresses in lists.items() if addresses}
    body = _of_service(service, "v1", "Endpoints", service["metadata"]["name"])
    return body | ({"subsets": [filled]} if filled else {})


def ready(body: Json) -> bool:
    """Whether the pod's Ready condition is true."""
    conditions = body.get("status", {}).get("conditions") or []
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


def _address(body: Json) -> Body:
    return {"ip": body["status"]["podIP"], "targetRef": _target(body)}


def _target(body: Json) -> Body:
    metadata = body["metadata"]
    return {
        "kind": "Pod",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }


def _of_service(service: Json, api_version: str, kind: str, name: str) -> Body:
    metadata = service["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/service-name": metadata["name"]}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": labels,
            "resourceVersion": metadata["resourceVersion"],
            "uid": metadata["uid"],
        },
    }
