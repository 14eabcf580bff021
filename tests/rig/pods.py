"""One pod of the rig: its address, its processes, and what the API server is told of them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rig import mesh, places, telemetry
from rig.api import Api, ApiError, Object, path_of
from rig.network import PodNetwork

BOOKINFO_IMAGE = re.compile(
    r"examples-bookinfo-(productpage|details|ratings|reviews)-(v[\w-]+)(?::(?P<tag>[\w.-]+))?$"
)
MISSING_TAG = "missing"  # an image with this tag cannot be pulled
CALLERS = {"productpage", "reviews"}  # services that call others, and so need a sidecar
DRAIN_SECONDS = 1.5  # a pod goes on serving for so long after its deletion, as Istio's proxy does
TICK = 0.1
BACK_OFF = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the pods run on."""

    api: Api
    run: Path
    workloads: Path
    envoy: str  # empty when the rig has no mesh
    node: str


class Pod:
    """Runs in a thread of its own until the pod is deleted; the watch only changes `desired` and `deleted`."""

    def __init__(self, machine: Machine, number: int, document: Object) -> None:
        self.machine = machine
        self.number = number
        self.address = _address(number)
        self.desired = document
        self.deleted = threading.Event()
        self.restarts = 0
        self._told: Any = None
        self._faults = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._sidecar: subprocess.Popen[bytes] | None = None
        self._network: PodNetwork | None = None
        self._log: IO[bytes] | None = None

    @property
    def name(self) -> str:
        return str(self.desired["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.desired["metadata"]["namespace"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.desired["metadata"].get("labels") or {})

    @property
    def knobs(self) -> dict[str, str]:
        """The annotations `rig/...`, without their prefix."""
        found = self.desired["metadata"].get("annotations") or {}
        return {key.removeprefix("rig/"): value for key, value in found.items() if key.startswith("rig/")}

    @property
    def container(self) -> Object:
        return dict(self.desired["spec"]["containers"][0])

    @property
    def program(self) -> tuple[str, str] | None:
        """The Bookinfo service and version that the image names; None for an image that only pretends to run."""
        found = BOOKINFO_IMAGE.search(self.container["image"])
        return (found[1], found[2]) if found else None

    @property
    def workload(self) -> str:
        owners = self.desired["metadata"].get("ownerReferences") or [{"name": self.name}]
        return re.sub(r"-[a-z0-9]{5,10}$", "", owners[0]["name"])

    def targets(self) -> list[telemetry.Target]:
        """What Prometheus shall scrape of this pod."""
        if self.program is None or self.deleted.is_set():
            return []
        ports = [telemetry.WORKLOAD_METRICS_PORT] + ([mesh.METRICS_PORT] if self._sidecar else [])
        app, version = self.labels.get("app", ""), self.labels.get("version", "")
        return [
            telemetry.Target(f"{self.address}:{port}", self.namespace, self.name, app, version)
            for port in ports
        ]

    def live(self) -> None:
        """Start, watch and finally end the pod's processes."""
        try:
            self._bind()
            if self.container["image"].endswith(f":{MISSING_TAG}"):
                self._tell(
                    ready=False, state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
                )
                self.deleted.wait()
            elif self.desired["spec"].get("restartPolicy") != "Always":
                self._run_to_completion()
            else:
                self._run_for_ever()
        finally:
            self._end()

    def start_sandbox(self) -> None:
        """Make the pod's network, and start its proxy when its service calls others."""
        if self.program:
            self._network = PodNetwork.create(self.address, self.number)
        if self.machine.envoy and self.program and self.program[0] in CALLERS:
            identity = mesh.Identity(
                "sidecar", self.name, self.namespace, self.address, self.workload, self.labels
            )
            command = mesh.proxy_command(
                self.machine.workloads, self.machine.envoy, identity, self.machine.run
            )
            self._sidecar = self._spawn(command, mesh.proxy_environment(identity))

    def _run_for_ever(self) -> None:
        while not self.deleted.is_set():
            self._process = self._start_process()
            probe = Probe(self)
            while not self.deleted.wait(TICK):
                if self._process is not None and self._process.poll() is not None:
                    break
                self._send_faults()
                self._tell(ready=probe.passes(), state={"running": {"startedAt": self._started}})
            if not self.deleted.is_set():
                self._back_off()

    def _back_off(self) -> None:
        self.restarts += 1
        message = f"back-off restarting failed container {self.container['name']}"
        self._tell(ready=False, state={"waiting": {"reason": "CrashLoopBackOff", "message": message}})
        self._faults = ""
        self.deleted.wait(BACK_OFF[min(self.restarts, len(BACK_OFF)) - 1])

    def _run_to_completion(self) -> None:
        self._started = _now()
        self._tell(ready=True, state={"running": {"startedAt": self._started}})
        self.deleted.wait(1)
        failed = self.knobs.get("fail") == "true"
        state = {
            "exitCode": int(failed),
            "reason": "Error" if failed else "Completed",
            "startedAt": self._started,
            "finishedAt": _now(),
        }
        self._tell(ready=False, state={"terminated": state}, phase="Failed" if failed else "Succeeded")
        self.deleted.wait()

    def _start_process(self) -> subprocess.Popen[bytes] | None:
        self._started = _now()
        if self.program is None:
            return None
        service, version = self.program
        given = {
            entry["name"]: entry["value"] for entry in self.container.get("env") or [] if "value" in entry
        }
        own = {
            "POD_NAME": self.name,
            "POD_NAMESPACE": self.namespace,
            "POD_IP": self.address,
            "WORKLOAD": self.workload,
            "APP": self.labels.get("app", ""),
            "VERSION": self.labels.get("version", ""),
            "VERSION_OF_IMAGE": version,
            "PROXY": "127.0.0.1" if self._sidecar else "",
            "SLOW_START": self.knobs.get("slow-start", ""),
        }
        return self._spawn((str(self.machine.workloads), service), given | own)

    def _spawn(self, command: tuple[str, ...], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        if self._log is None:
            self._log = (self.machine.run / "log" / f"pod-{self.namespace}-{self.name}.log").open("ab")
        inside = self._network.enter(command) if self._network else command
        return subprocess.Popen(
            inside,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _send_faults(self) -> None:
        knobs = self.knobs
        wrong = {
            "errors": float(knobs.get("errors", 0)),
            "latency": float(knobs.get("latency", 0)),
            "crash": knobs.get("crash") == "true",
        }
        line = json.dumps(wrong) + "\n"
        if self._process is None or self._process.stdin is None or line == self._faults:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
            self._faults = line

    def _end(self) -> None:
        if self._process is not None:
            time.sleep(DRAIN_SECONDS)
        for process in (self._process, self._sidecar):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._network is not None:
            self._network.remove()
        if self._log is not None:
            self._log.close()
        gone = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.desired["metadata"]["uid"]}}
        with contextlib.suppress(ApiError):
            self.machine.api.delete(self._path(), gone)

    def _path(self, sub: str = "") -> str:
        return path_of("v1", "pods", self.namespace, self.name) + sub

    def _bind(self) -> None:
        if not self.desired["spec"].get("nodeName"):
            metadata = {"name": self.name, "uid": self.desired["metadata"]["uid"]}
            target = {"apiVersion": "v1", "kind": "Node", "name": self.machine.node}
            with contextlib.suppress(ApiError):
                self.machine.api.post(
                    self._path("/binding"),
                    {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target},
                )

    def _tell(self, *, ready: bool, state: Object, phase: str = "Running") -> None:
        """Report the pod's state when it differs from what was reported last."""
        pulled = "waiting" not in state or self.restarts > 0
        told = (ready, json.dumps(state), phase)
        if told == self._told:
            return
        container = self.container
        status = {
            "phase": phase if pulled else "Pending",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "hostIP": places.NODE,
            "startTime": _now(),
            "conditions": _conditions(ready=ready),
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": container["image"],
                    "ready": ready,
                    "started": "running" in state,
                    "restartCount": self.restarts,
                    "state": {"waiting": None, "running": None, "terminated": None} | state,
                }
            ],
        }
        with contextlib.suppress(ApiError):
            self.machine.api.merge(
                self._path("/status"),
                {"metadata": {"uid": self.desired["metadata"]["uid"]}, "status": status},
            )
            self._told = told


class Probe:
    """The readiness of one container start: its readinessProbe, and the sidecar's. Without a probe a start is enough."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.spec: Object = pod.container.get("readinessProbe") or {}
        self.ready = False
        self.failures = 0
        self.next = time.monotonic() + float(
            pod.knobs.get("ready-after", self.spec.get("initialDelaySeconds", 0))
        )

    def passes(self) -> bool:
        """Whether the container counts as ready now; asks it when the next probe is due."""
        if time.monotonic() >= self.next:
            self._take(answered=self._sidecar_answers() and self._container_answers())
        return self.ready

    def _take(self, *, answered: bool) -> None:
        self.failures = 0 if answered else self.failures + 1
        if answered or self.failures >= int(self.spec.get("failureThreshold", 3)):
            self.ready = answered
        # A real kubelet probes new containers more often too; later ones at the period asked for.
        self.next = time.monotonic() + (float(self.spec.get("periodSeconds", 10)) if self.ready else 2 * TICK)

    def _sidecar_answers(self) -> bool:
        return self.pod._sidecar is None or _answers(f"http://{self.pod.address}:{mesh.ADMIN_PORT}/ready")

    def _container_answers(self) -> bool:
        check = self.spec.get("httpGet") or self.spec.get("tcpSocket")
        if not check or self.pod.program is None:
            return True
        port = check["port"] if isinstance(check["port"], int) else 9080
        path = check.get("path", "/health")
        return _answers(
            f"http://{self.pod.address}:{port}{path}", timeout=float(self.spec.get("timeoutSeconds", 1))
        )


def _answers(url: str, timeout: float = 1) -> bool:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "kube-probe/1.36"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return bool(200 <= response.status < 400)
    except (urllib.error.URLError, OSError):
        return False


def _address(number: int) -> str:
    third, fourth = divmod(number, 250)
    return f"{places.POD_PREFIX}.{third + 1}.{fourth + 2}"


def _conditions(*, ready: bool) -> list[Object]:
    states = {"Initialized": True, "PodScheduled": True, "ContainersReady": ready, "Ready": ready}
    return [
        {"type": kind, "status": str(state), "lastTransitionTime": _now()} for kind, state in states.items()
    ]


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
