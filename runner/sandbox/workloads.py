"""Deployments that become ready: what the controllers and the kubelet do.

Simpler than the real ones in one respect: a rollout makes all its new pods at once and takes an old one away
for each that becomes ready.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.model.scenario import Gone, NotReady, NotReadyBecause
from runner.sandbox import podstatus
from runner.sandbox.agenda import Agenda
from runner.sandbox.chance import fraction, word
from runner.sandbox.kinds import Key
from runner.sandbox.mesh import Mesh
from runner.sandbox.registry import Registry
from runner.sandbox.setup import Stream

Json = Mapping[str, Any]

NOTICED = 200  # milliseconds until a controller has seen a change
START = (3000, 4000)  # milliseconds that a pod needs at least, and by chance on top
CONTROLLER = "kube-controller-manager"
REVISION = "deployment.kubernetes.io/revision"


@dataclass(slots=True)
class _Pod:
    owner: Key
    template: str
    starts: int
    restarts: int = 0


class Workloads:
    """Keeps the pods of every Deployment in *registry*, and its status."""

    def __init__(self, seed: int, mesh: Mesh, agenda: Agenda, streams: Sequence[Stream]) -> None:
        self._seed = seed
        self._mesh = mesh
        self._agenda = agenda
        self._streams = streams
        self._pods: dict[Key, _Pod] = {}
        self._revisions: dict[Key, list[str]] = {}
        self._progress: dict[Key, int] = {}
        self._made = 0
        self._registry.watch(self._noticed)

    @property
    def _registry(self) -> Registry:
        return self._mesh.registry

    def look(self, now: int) -> None:
        """Something about pods has gone wrong or right: look at every one of them."""
        for key in tuple(self._pods):
            self._observe(now, key)
        for owner in sorted({pod.owner for pod in self._pods.values()} | set(self._revisions)):
            self._reconcile(now, owner)

    def _noticed(self, now: int, key: Key, old: Json | None, new: Json | None) -> None:
        if key.kind == "Deployment" and (old is None or new is None or _asks(old) != _asks(new)):
            self._agenda.at(now + NOTICED, lambda at: self._reconcile(at, key))
        if key.kind == "Pod" and new is None and key in self._pods:
            owner = self._pods.pop(key).owner
            self._agenda.at(now + NOTICED, lambda at: self._reconcile(at, owner))

    def _reconcile(self, now: int, key: Key) -> None:
        deployment = self._registry.find(key)
        if deployment is None:
            self._remove(now, list(self._own(key)))
            return
        template = self._template(now, key, deployment)
        desired = deployment["spec"]["replicas"]
        new = [pod for pod in self._own(key) if self._pods[pod].template == template]
        new += [self._make(now, key, deployment, template) for _ in range(desired - len(new))]
        new.sort(key=lambda pod: (not self._ready(pod), pod))
        self._remove(now, new[desired:])
        ready = sum(self._ready(pod) for pod in new[:desired])
        old = [pod for pod in self._own(key) if self._pods[pod].template != template]
        old.sort(key=lambda pod: (not self._ready(pod), pod))
        self._remove(now, old[max(desired - ready, 0) :])
        self._report(now, key)

    def _own(self, owner: Key) -> Iterator[Key]:
        return (key for key, pod in sorted(self._pods.items()) if pod.owner == owner)

    def _ready(self, key: Key) -> bool:
        body = self._registry.find(key)
        return body is not None and podstatus.ready(body)

    def _remove(self, now: int, pods: Sequence[Key]) -> None:
        for key in pods:
            del self._pods[key]
            self._registry.delete(now, key)

    def _template(self, now: int, key: Key, deployment: Json) -> str:
        template = word(self._seed, 9, "template", str(deployment["spec"]["template"]))
        revisions = self._revisions.setdefault(key, [])
        if template not in revisions[-1:]:
            revisions.append(template)
            self._progress[key] = now
            deadline = deployment["spec"]["progressDeadlineSeconds"] * 1000
            self._agenda.at(now + deadline, lambda at: self._report(at, key))
        return template

    def _make(self, now: int, owner: Key, deployment: Json, template: str) -> Key:
        self._made += 1
        name = f"{owner.name}-{template}-{word(self._seed, 5, 'pod', self._made)}"
        key = Key("", "Pod", owner.namespace, name)
        body = podstatus.pod(deployment, name, template, self._made)
        starts = now + START[0] + int(fraction(self._seed, "start", self._made) * START[1])
        self._registry.create(now, body, CONTROLLER)
        self._pods[key] = _Pod(owner, template, starts)
        self._observe(now, key)
        self._agenda.at(starts, lambda at: self._wake(at, key))
        return key

    def _wake(self, now: int, key: Key) -> None:
        if key not in self._pods:
            return
        delay = self._delay(key)
        if now < self._pods[key].starts + delay:
            self._agenda.at(self._pods[key].starts + delay, lambda at: self._wake(at, key))
            return
        self._observe(now, key)
        self._reconcile(now, self._pods[key].owner)

    def _observe(self, now: int, key: Key) -> None:
        """What the kubelet says of a pod; a pod whose place is gone is deleted, a new one finds none."""
        body, pod = self._registry.find(key), self._pods[key]
        if body is None:
            return
        because = self._trouble(key)
        if isinstance(because, Gone):
            if "podIP" in body.get("status", {}):
                self._remove(now, [key])
                return
            because = NotReadyBecause.UNSCHEDULABLE
        started = now >= pod.starts + self._delay(key)
        if started and because is NotReadyBecause.CRASH:
            pod.restarts += 1
        status = podstatus.status(body, now, because, started=started, restarts=pod.restarts)
        self._registry.set_status(now, key, status, "kubelet", {})

    def _trouble(self, key: Key) -> Gone | NotReadyBecause | None:
        for fault in self._faults(key):
            if isinstance(fault, Gone):
                return fault
            if fault.because is not None:
                return fault.because
        return None

    def _delay(self, key: Key) -> int:
        faults = (fault for fault in self._faults(key) if isinstance(fault, NotReady))
        return int(max((fault.delay for fault in faults), default=0.0) * 1000)

    def _faults(self, key: Key) -> Iterator[NotReady | Gone]:
        body = self._registry.find(key)
        labels = body["metadata"].get("labels") or {} if body else {}
        for stream in self._streams:
            if stream.namespace == key.namespace:
                for fault, subset in self._mesh.faults.on_pods(stream):
                    if self._mesh.belongs(stream, subset, labels):
                        yield fault

    def _report(self, now: int, key: Key) -> None:
        """Write the Deployment's status."""
        deployment = self._registry.find(key)
        if deployment is None:
            return
        template = self._revisions[key][-1]
        pods = list(self._own(key))
        counts = podstatus.Counts(
            desired=deployment["spec"]["replicas"],
            all=len(pods),
            updated=sum(self._pods[pod].template == template for pod in pods),
            ready=sum(self._ready(pod) for pod in pods),
        )
        before = deployment.get("status", {})
        # Scaling counts as progress, like a rollout.
        grown = counts.updated > before.get("updatedReplicas", 0)
        if grown or counts.ready > before.get("readyReplicas", 0):
            self._progress[key] = now
        deadline = deployment["spec"]["progressDeadlineSeconds"] * 1000
        late = now - self._progress[key] >= deadline
        status = podstatus.deployment_status(deployment, counts, now, late=late)
        annotations = {REVISION: str(len(self._revisions[key]))}
        self._registry.set_status(now, key, status, CONTROLLER, annotations)


def _asks(deployment: Json) -> tuple[Any, Any]:
    return deployment["metadata"]["generation"], deployment["spec"]
