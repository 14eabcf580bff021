"""What Prometheus scrapes: every pod's own metrics (the destination's) and every proxy's (the source's)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig import mesh, places

TARGETS_FILE = "targets.json"
WORKLOAD_METRICS_PORT = 15020
SCRAPE_SECONDS = 1

CONFIGURATION = f"""\
global:
  scrape_interval: {SCRAPE_SECONDS}s
  scrape_timeout: {SCRAPE_SECONDS}s
  evaluation_interval: {SCRAPE_SECONDS}s
scrape_configs:
  - job_name: gateway
    static_configs:
      - targets: ["{places.GATEWAY}:{mesh.METRICS_PORT}"]
        labels: {{namespace: {mesh.SYSTEM_NAMESPACE}, pod: istio-ingressgateway-0, app: istio-ingressgateway}}
  - job_name: pods
    file_sd_configs:
      - files: [{TARGETS_FILE}]
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One address to scrape, with the labels that Kubernetes' discovery would give it."""

    address: str
    namespace: str
    pod: str
    app: str
    version: str


def write_configuration(run: Path) -> None:
    (run / "prometheus.yml").write_text(CONFIGURATION)
    write_targets(run / TARGETS_FILE, ())


def write_targets(path: Path, targets: Iterable[Target]) -> None:
    """Replace the list of targets at once; Prometheus watches the file."""
    groups = [
        {
            "targets": [target.address],
            "labels": {
                "namespace": target.namespace,
                "pod": target.pod,
                "app": target.app,
                "version": target.version,
            },
        }
        for target in targets
    ]
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(groups))
    unfinished.replace(path)


def prometheus_service() -> list[dict[str, object]]:
    """Prometheus as a Service of the cluster, so that playbooks which name it as one reach it through the API server."""
    metadata = {"name": "prometheus", "namespace": mesh.SYSTEM_NAMESPACE}
    port = {"name": "http", "port": 9090, "protocol": "TCP"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"ports": [{**port, "targetPort": places.PROMETHEUS_PORT}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "prometheus"}},
            "addressType": "IPv4",
            "ports": [{**port, "port": places.PROMETHEUS_PORT}],
            "endpoints": [{"addresses": [places.PROMETHEUS], "conditions": {"ready": True}}],
        },
    ]
