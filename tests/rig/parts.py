"""The processes of the rig: how each is started, and how one sees that it is ready."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig import mesh, places, telemetry
from rig.build import Binaries


@dataclass(frozen=True, slots=True)
class Part:
    """One process; `ready` is a URL that answers 200 once it serves, or empty."""

    name: str
    command: tuple[str, ...]
    ready: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def answers(url: str) -> bool:
    """Whether a GET of the URL is answered with 200 right now."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def etcd(binaries: Binaries, data: Path) -> Part:
    client, peer = f"http://127.0.0.1:{places.ETCD_PORT}", f"http://127.0.0.1:{places.ETCD_PORT + 1}"
    flags = (
        "--name=rig",
        f"--data-dir={data / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=rig={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )
    return Part("etcd", (str(binaries.controlplane), "etcd", *flags), f"{client}/health")


def api_server(binaries: Binaries, run: Path) -> Part:
    pki = run / "pki"
    flags = (
        f"--etcd-servers=http://127.0.0.1:{places.ETCD_PORT}",
        "--bind-address=127.0.0.1",
        f"--secure-port={places.API_PORT}",
        f"--advertise-address={places.NODE}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={pki / 'serving.crt'}",
        f"--tls-private-key-file={pki / 'serving.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--token-auth-file={pki / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        f"--service-cluster-ip-range={places.SERVICE_NETWORK}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'service-accounts.key'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--audit-policy-file={run / 'audit-policy.yaml'}",
        f"--audit-log-path={run / 'log' / 'audit.jsonl'}",
        "--event-ttl=10m",
        "--profiling=false",
    )
    return Part("kube-apiserver", (str(binaries.controlplane), "kube-apiserver", *flags))


def controller_manager(binaries: Binaries, run: Path) -> Part:
    pki = run / "pki"
    flags = (
        f"--kubeconfig={run / 'inside.kubeconfig'}",
        "--bind-address=127.0.0.1",
        f"--secure-port={places.API_PORT + 1}",
        "--leader-elect=false",
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--use-service-account-credentials=false",
        "--controllers=*,-bootstrap-signer-controller,-token-cleaner-controller,-node-lifecycle-controller",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )
    return Part("kube-controller-manager", (str(binaries.controlplane), "kube-controller-manager", *flags))


def kubelet(binaries: Binaries, run: Path) -> Part:
    settings = {
        "run": str(run),
        "workloads": str(binaries.workloads),
        "envoy": str(binaries.envoy or ""),
        "targets": str(run / telemetry.TARGETS_FILE),
    }
    environment = {"PYTHONPATH": str(places.SOURCES.parent)}
    return Part(
        "kubelet", (sys.executable, "-m", "rig.kubelet", json.dumps(settings)), environment=environment
    )


def istiod(binaries: Binaries, run: Path) -> Part:
    command = (str(binaries.istiod), "discovery", *mesh.istiod_flags(run))
    return Part(
        "istiod", command, f"http://127.0.0.1:{places.ISTIOD_READY_PORT}/ready", mesh.ISTIOD_ENVIRONMENT
    )


def gateway(binaries: Binaries, run: Path) -> Part:
    identity = mesh.gateway_identity()
    command = mesh.proxy_command(binaries.workloads, str(binaries.envoy), identity, run)
    return Part(
        "gateway",
        command,
        f"http://{identity.address}:{mesh.ADMIN_PORT}/ready",
        mesh.proxy_environment(identity),
    )


def prometheus(binaries: Binaries, run: Path, data: Path) -> Part:
    flags = (
        f"--config.file={run / 'prometheus.yml'}",
        f"--storage.tsdb.path={data / 'prometheus'}",
        "--storage.tsdb.retention.time=4h",
        f"--web.listen-address={places.PROMETHEUS}:{places.PROMETHEUS_PORT}",
        "--web.enable-lifecycle",
        "--log.level=warn",
    )
    return Part(
        "prometheus",
        (str(binaries.prometheus), *flags),
        f"http://{places.PROMETHEUS}:{places.PROMETHEUS_PORT}/-/ready",
    )


def forwards(binaries: Binaries, sockets: Mapping[int, str]) -> Part:
    """Copies between sockets opened outside (by descriptor) and addresses inside."""
    arguments = tuple(f"{descriptor}={address}" for descriptor, address in sockets.items())
    return Part("forwards", (str(binaries.workloads), "forward", *arguments))


def environment_of(part: Part) -> dict[str, str]:
    """What the process sees: this machine's search path and home, and the part's own variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | dict(part.environment)
