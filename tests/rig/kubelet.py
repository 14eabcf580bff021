"""A stand-in for scheduler and kubelet: one node that runs every pod as processes of this machine.

Pods with a Bookinfo image really serve; others only report Running. Annotations on a pod change it while it runs:
`rig/errors` (share of answers that are 500), `rig/latency` (seconds), `rig/crash` ("true"), and for its start
`rig/slow-start` and `rig/ready-after` (seconds). An image tagged `missing` cannot be pulled.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from rig import places, telemetry
from rig.api import Api, ApiError, Object, path_of
from rig.pods import Machine, Pod

NODE = "rig-1"
LEASES = "kube-node-lease"


class Kubelet:
    """Keeps one thread for each pod that the API server knows."""

    def __init__(self, machine: Machine, targets: Path) -> None:
        self.machine = machine
        self.targets = targets
        self.pods: dict[str, Pod] = {}
        self.lock = threading.Lock()
        self.numbers = itertools.count()

    def follow(self, event: str, document: Object) -> None:
        """Take one event of the watch on pods."""
        uid = document["metadata"]["uid"]
        pod = self.pods.get(uid)
        if event == "DELETED" or document["metadata"].get("deletionTimestamp"):
            if pod is not None:
                pod.deleted.set()
                self.write_targets()
            elif event != "DELETED":
                self._forget(document)
        elif pod is not None:
            pod.desired = document
        elif document["spec"].get("nodeName") in (None, "", NODE):
            self._begin(uid, document)

    def write_targets(self) -> None:
        with self.lock:
            telemetry.write_targets(
                self.targets, [target for pod in self.pods.values() for target in pod.targets()]
            )

    def forget_all_but(self, uids: set[str]) -> None:
        """End the pods whose deletion was missed while no watch was open."""
        for uid, pod in list(self.pods.items()):
            if uid not in uids:
                pod.deleted.set()

    def _begin(self, uid: str, document: Object) -> None:
        pod = Pod(self.machine, next(self.numbers), document)
        self.pods[uid] = pod
        threading.Thread(target=self._live, args=(uid, pod), daemon=True).start()

    def _live(self, uid: str, pod: Pod) -> None:
        pod.start_sandbox()
        self.write_targets()
        try:
            pod.live()
        finally:
            with self.lock:
                self.pods.pop(uid, None)

    def _forget(self, document: Object) -> None:
        """Remove a pod that never started here."""
        metadata = document["metadata"]
        with contextlib.suppress(ApiError):
            self.machine.api.delete(
                path_of("v1", "pods", metadata["namespace"], metadata["name"]), {"gracePeriodSeconds": 0}
            )


def register_node(api: Api) -> None:
    """Make the node known, ready and without taints."""
    labels = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    with contextlib.suppress(ApiError):
        api.post(
            "/api/v1/nodes",
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": labels}},
        )
    room = {"cpu": "64", "memory": "256Gi", "pods": "2000", "ephemeral-storage": "1Ti"}
    now = _timestamp()[:19] + "Z"
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "stand-in",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    status = {
        "capacity": room,
        "allocatable": room,
        "addresses": [{"type": "InternalIP", "address": places.NODE}],
        "conditions": [ready],
    }
    api.merge(f"/api/v1/nodes/{NODE}/status", {"status": status})
    api.merge(f"/api/v1/nodes/{NODE}", {"spec": {"taints": None}})


def renew_lease(api: Api) -> None:
    """Tell the API server that the node lives, once."""
    collection = path_of("coordination.k8s.io/v1", "leases", LEASES)
    spec = {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": _timestamp()}
    try:
        api.merge(f"{collection}/{NODE}", {"spec": spec})
    except ApiError as error:
        if error.code == 404:
            api.post(
                collection,
                {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": {"name": NODE},
                    "spec": spec,
                },
            )


def _heartbeat(api: Api) -> None:
    while True:
        with contextlib.suppress(ApiError, OSError):
            renew_lease(api)
        time.sleep(10)


def _timestamp() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def run(settings: dict[str, Any]) -> None:
    """Serve until killed; a watch that ends is begun again from a fresh list."""
    folder = Path(settings["run"])
    api = Api(f"https://127.0.0.1:{places.API_PORT}", places.ADMIN_TOKEN, folder / "pki" / "ca.crt")
    kubelet = Kubelet(
        Machine(api, folder, Path(settings["workloads"]), settings["envoy"], NODE), Path(settings["targets"])
    )
    register_node(api)
    threading.Thread(target=_heartbeat, args=(api,), daemon=True).start()
    while True:
        try:
            _watch(api, kubelet)
        except (ApiError, OSError, ValueError) as error:
            print(f"watch on pods begins again: {error}", file=sys.stderr, flush=True)
            time.sleep(0.2)


def _watch(api: Api, kubelet: Kubelet) -> None:
    pods = api.get("/api/v1/pods")
    kubelet.forget_all_but({document["metadata"]["uid"] for document in pods["items"]})
    for document in pods["items"]:
        kubelet.follow("ADDED", document)
    for event in api.watch("/api/v1/pods", pods["metadata"]["resourceVersion"]):
        if event["type"] == "ERROR":
            return
        kubelet.follow(event["type"], event["object"])


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
