"""The implementations of a port that a contract is held against, each with what a test needs beside it.

A real cluster is among them when RUNNER_TEST_KUBECONFIG names one, a real Prometheus when
RUNNER_TEST_PROMETHEUS does.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest

from runner.adapters.api_server import ApiServer, Request
from runner.adapters.discovery import Resource
from runner.adapters.kubeconfig import Choice, connect
from runner.adapters.kubernetes import KubernetesCluster
from runner.model.config import Config
from runner.model.stages import KubeObject
from runner.ports import Cluster, ObjectRef
from runner.sandbox import Setup, VirtualClock, World
from runner.sandbox.kinds import Key, group_of

KUBECONFIG = os.environ.get("RUNNER_TEST_KUBECONFIG")
PROMETHEUS = os.environ.get("RUNNER_TEST_PROMETHEUS")
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


class Bench(Protocol):
    """A cluster with one fresh namespace in it, and the hands of somebody else."""

    cluster: Cluster
    namespace: str

    def by(self, manager: str) -> Cluster:
        """The same cluster, written by another field manager."""

    def delete(self, ref: ObjectRef) -> None:
        """Somebody deletes an object, which is gone when this returns."""

    def validates_istio(self) -> bool:
        """Whether Istio's webhook looks at what is written."""


class SandboxBench:
    """The embedded world."""

    def __init__(self) -> None:
        self.namespace = "contract"
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        setup = Setup(seed=1, start=NOON, objects=(("setup", made),), namespace=self.namespace)
        self.world = World.begin(setup, VirtualClock(NOON))
        self.cluster = self.world.cluster

    def by(self, manager: str) -> Cluster:
        return OtherHands(self.world, manager)

    def delete(self, ref: ObjectRef) -> None:
        key = Key(group_of(ref.api_version), ref.kind, ref.namespace, ref.name)
        self.world.registry.delete(self.world.present(), key)

    def validates_istio(self) -> bool:
        return True


class OtherHands:
    """Another field manager of the embedded world."""

    def __init__(self, world: World, manager: str) -> None:
        self._world = world
        self._manager = manager

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        now = self._world.present()
        return self._world.registry.apply(now, manifest, self._manager, force=force, dry=dry_run)

    def create(self, manifest: KubeObject) -> KubeObject:
        return self._world.registry.create(self._world.present(), manifest, self._manager)

    def replace(self, changed: KubeObject) -> KubeObject:
        return self._world.registry.update(self._world.present(), changed, self._manager)


class RealBench:
    """A real API server. Nobody waits for the namespace to be gone at the end."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        login = connect(Choice(kubeconfig=KUBECONFIG), Config("none"), os.environ).login
        self.server = ApiServer(login)
        self.cluster = KubernetesCluster(self.server)

    def by(self, manager: str) -> Cluster:
        return KubernetesCluster(self.server, manager)

    def delete(self, ref: ObjectRef) -> None:
        plural = "ies" if ref.kind.endswith("y") else "s"
        name = ref.kind.removesuffix("y").lower() + plural
        path = Resource(ref.api_version, name, namespaced=bool(ref.namespace)).path(ref.namespace, ref.name)
        answer = self.server.call(Request("DELETE", path, (("gracePeriodSeconds", "0"),)))
        assert answer.status in (200, 202), answer.body

    def validates_istio(self) -> bool:
        hooks = self.cluster.list(
            "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", {"istio": "istiod"}
        ) or self.cluster.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", {})
        return any("istio" in hook["metadata"]["name"] for hook in hooks)


@contextmanager
def real() -> Iterator[RealBench]:
    """A bench with a namespace of its own on the cluster that the environment names."""
    bench = RealBench(f"contract-{secrets.token_hex(4)}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}
    bench.cluster.create(namespace)
    try:
        yield bench
    finally:
        bench.delete(ObjectRef("v1", "Namespace", "", bench.namespace))
        bench.server.close()


@contextmanager
def sandbox() -> Iterator[SandboxBench]:
    """A bench in a world of its own."""
    yield SandboxBench()


CLUSTERS = [sandbox, *([pytest.param(real, marks=pytest.mark.rig)] if KUBECONFIG else [])]
