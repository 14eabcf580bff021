"""Istio outside a cluster: istiod's settings, and the stock Envoys that it drives.

A stock Envoy lacks Istio's own filters, so istiod is told not to ask for them; what they would have counted is read
off the access log instead (see `workloads/proxy.go`).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import places

SYSTEM_NAMESPACE = "istio-system"
ADMIN_PORT = 15000
METRICS_PORT = 15090
ISTIO_VERSION = "1.31.0"

ISTIOD_ENVIRONMENT = {
    "POD_NAME": "istiod-0",
    "POD_NAMESPACE": SYSTEM_NAMESPACE,
    "REVISION": "default",
    "CLUSTER_ID": "Kubernetes",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_DISABLE_MX_ALPN": "true",
    "PILOT_ENABLE_GATEWAY_API": "false",
    "PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION": "false",
    "PILOT_DEBOUNCE_AFTER": "10ms",
    "PILOT_DEBOUNCE_MAX": "1s",
    "PILOT_CERT_PROVIDER": "none",
    "ENABLE_CA_SERVER": "false",
    "ENABLE_LEADER_ELECTION": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
}

# enableAutoMtls would want certificates over SDS, and defaultProviders the istio.stats filter.
MESH_CONFIG: dict[str, Any] = {
    "enableAutoMtls": False,
    "enablePrometheusMerge": False,
    "enableTracing": False,
    "rootNamespace": SYSTEM_NAMESPACE,
    "trustDomain": "cluster.local",
    "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    "defaultConfig": {"discoveryAddress": f"{places.NODE}:{places.XDS_PORT}"},
    "defaultProviders": {},
    "accessLogFile": "/dev/stdout",
    "accessLogEncoding": "JSON",
    "accessLogFormat": json.dumps(
        {
            "code": "%RESPONSE_CODE%",
            "flags": "%RESPONSE_FLAGS%",
            "ms": "%DURATION%",
            "cluster": "%UPSTREAM_CLUSTER_RAW%",
            "peer": "%RESP(X-RIG-PEER)%",
            "host": "%REQ(:AUTHORITY)%",
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a proxy is: a pod with its place in the mesh."""

    kind: str  # "sidecar" or "router"
    pod: str
    namespace: str
    address: str
    workload: str
    labels: dict[str, str] = field(default_factory=dict)


def gateway_identity() -> Identity:
    """The ingress gateway that Bookinfo's Gateway selects."""
    labels = {"istio": "ingressgateway", "app": "istio-ingressgateway"}
    return Identity(
        "router", "istio-ingressgateway-0", SYSTEM_NAMESPACE, places.GATEWAY, "istio-ingressgateway", labels
    )


def write_settings(run: Path) -> None:
    """Write the files that istiod reads at its start."""
    (run / "mesh.json").write_text(json.dumps(MESH_CONFIG))
    (run / "networks.json").write_text('{"networks": {}}')


def istiod_flags(run: Path) -> tuple[str, ...]:
    return (
        f"--kubeconfig={run / 'inside.kubeconfig'}",
        f"--meshConfig={run / 'mesh.json'}",
        f"--networksConfig={run / 'networks.json'}",
        f"--httpAddr=127.0.0.1:{places.ISTIOD_READY_PORT}",
        f"--grpcAddr={places.NODE}:{places.XDS_PORT}",
        "--secureGRPCAddr=",
        f"--httpsAddr=127.0.0.1:{places.ISTIOD_WEBHOOK_PORT}",
        "--monitoringAddr=127.0.0.1:15014",
        "--ctrlz_port=0",
        f"--tlsCertFile={run / 'pki' / 'serving.crt'}",
        f"--tlsKeyFile={run / 'pki' / 'serving.key'}",
        f"--caCertFile={run / 'pki' / 'ca.crt'}",
        "--domain=cluster.local",
    )


def webhook(run: Path) -> dict[str, Any]:
    """Istio's validation: much is refused only here, a negative weight for one."""
    bundle = base64.b64encode((run / "pki" / "ca.crt").read_bytes()).decode()
    groups = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"]
    rule = {"operations": ["CREATE", "UPDATE"], "apiGroups": groups, "apiVersions": ["*"], "resources": ["*"]}
    hook = {
        "name": "rev.validation.istio.io",
        "clientConfig": {
            "url": f"https://127.0.0.1:{places.ISTIOD_WEBHOOK_PORT}/validate",
            "caBundle": bundle,
        },
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {
            "name": "istio-validator-istio-system",
            "labels": {"app": "istiod", "istio.io/rev": "default"},
        },
        "webhooks": [hook],
    }


def proxy_environment(identity: Identity) -> dict[str, str]:
    """How the wrapper learns whose requests it counts."""
    return {
        "WORKLOAD": identity.workload,
        "POD_NAMESPACE": identity.namespace,
        "APP": identity.labels.get("app", ""),
        "VERSION": identity.labels.get("version", ""),
    }


def proxy_command(wrapper: Path, envoy: str, identity: Identity, run: Path) -> tuple[str, ...]:
    """Write the bootstrap and return the command that starts the Envoy under its wrapper."""
    bootstrap = run / "proxies" / f"{identity.namespace}.{identity.pod}.json"
    bootstrap.parent.mkdir(exist_ok=True)
    bootstrap.write_text(json.dumps(_bootstrap(identity)))
    envoy_flags = (
        "--log-level",
        "warning",
        "--component-log-level",
        "misc:error",
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "--file-flush-interval-msec",
        "100",
    )
    metrics = f"--metrics={identity.address}:{METRICS_PORT}"
    return (str(wrapper), "proxy", metrics, envoy, "-c", str(bootstrap), *envoy_flags)


def _bootstrap(identity: Identity) -> dict[str, Any]:
    return {
        "node": _node(identity),
        "admin": {"address": _socket(identity.address, ADMIN_PORT)},
        "dynamic_resources": {
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
            },
        },
        "static_resources": {"clusters": [_xds_cluster()]},
    }


def _node(identity: Identity) -> dict[str, Any]:
    metadata = {
        "NAME": identity.pod,
        "NAMESPACE": identity.namespace,
        "ISTIO_VERSION": ISTIO_VERSION,
        "CLUSTER_ID": "Kubernetes",
        "INTERCEPTION_MODE": "NONE",
        "INSTANCE_IPS": identity.address,
        "WORKLOAD_NAME": identity.workload,
        "LABELS": identity.labels,
    }
    domain = f"{identity.namespace}.svc.cluster.local"
    node = f"{identity.kind}~{identity.address}~{identity.pod}.{identity.namespace}~{domain}"
    return {"id": node, "cluster": f"{identity.workload}.{identity.namespace}", "metadata": metadata}


def _xds_cluster() -> dict[str, Any]:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    endpoint = {"endpoint": {"address": _socket(places.NODE, places.XDS_PORT)}}
    return {
        "name": "xds-grpc",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": "xds-grpc", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
