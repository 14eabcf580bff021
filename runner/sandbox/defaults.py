"""What the API server fills in where a manifest is silent, as far as a playbook's author sees it.

Source: the `SetDefaults_*` functions of k8s.io/kubernetes pkg/apis (core/v1, apps/v1).
"""

from collections.abc import Callable, Mapping
from typing import Any

Body = dict[str, Any]

POD_SPEC: Body = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler",
    "securityContext": {},
}
CONTAINER: Body = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
PROBE: Body = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
DEPLOYMENT: Body = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "strategy": {"type": "RollingUpdate"},
}
ROLLING: Body = {"maxSurge": "25%", "maxUnavailable": "25%"}
SERVICE: Body = {"type": "ClusterIP", "sessionAffinity": "None"}
CLUSTER_SERVICE: Body = {
    "internalTrafficPolicy": "Cluster",
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}


def defaulted(body: Body, cluster_ip: Callable[[], str]) -> Body:
    """*body* with what is left out filled in; *cluster_ip* gives a Service its address."""
    match body.get("kind"):
        case "Deployment":
            return body | {"spec": _deployment(body.get("spec") or {})}
        case "Service":
            return body | {"spec": _service(body.get("spec") or {}, cluster_ip)}
        case "Namespace":
            return _namespace(body)
        case "Pod":
            return body | {"spec": _pod_spec(body.get("spec") or {})}
    return body


def _deployment(spec: Body) -> Body:
    spec = DEPLOYMENT | spec
    if spec["strategy"].get("type", "RollingUpdate") == "RollingUpdate":
        rolling = ROLLING | (spec["strategy"].get("rollingUpdate") or {})
        spec["strategy"] = {"type": "RollingUpdate", **spec["strategy"], "rollingUpdate": rolling}
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        spec["template"] = template | {"spec": _pod_spec(template["spec"])}
    return spec


def _pod_spec(spec: Body) -> Body:
    filled = POD_SPEC | spec
    if "serviceAccountName" in filled:
        filled.setdefault("serviceAccount", filled["serviceAccountName"])
    for group in ("containers", "initContainers"):
        if isinstance(filled.get(group), list):
            filled[group] = [_container(container) for container in filled[group]]
    if isinstance(filled.get("volumes"), list):
        filled["volumes"] = [
            volume if len(volume) > 1 else volume | {"emptyDir": {}} for volume in filled["volumes"]
        ]
    return filled


def _container(container: Body) -> Body:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].rpartition(":")[2] if ":" in image.rpartition("/")[2] else "latest"
    policy = "Always" if tag == "latest" and "@" not in image else "IfNotPresent"
    filled = {"imagePullPolicy": policy, **CONTAINER, **container}
    if isinstance(filled.get("ports"), list):
        filled["ports"] = [{"protocol": "TCP", **port} for port in filled["ports"]]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if isinstance(filled.get(probe), dict):
            filled[probe] = _probe(filled[probe])
    return filled


def _probe(probe: Body) -> Body:
    filled = PROBE | probe
    if isinstance(filled.get("httpGet"), dict):
        filled["httpGet"] = {"scheme": "HTTP", "path": "/"} | filled["httpGet"]
    return filled


def _service(spec: Body, cluster_ip: Callable[[], str]) -> Body:
    filled = SERVICE | spec
    if filled["type"] != "ExternalName":
        filled = CLUSTER_SERVICE | filled
        address = filled.get("clusterIP") or cluster_ip()
        filled |= {"clusterIP": address, "clusterIPs": filled.get("clusterIPs") or [address]}
    if isinstance(filled.get("ports"), list):
        filled["ports"] = [
            {"protocol": "TCP", "targetPort": port.get("port"), **port} for port in filled["ports"]
        ]
    return filled


def _namespace(body: Body) -> Body:
    metadata: Mapping[str, Any] = body.get("metadata", {})
    labels = {"kubernetes.io/metadata.name": metadata.get("name")} | (metadata.get("labels") or {})
    return {
        **body,
        "metadata": {**metadata, "labels": labels},
        "spec": {"finalizers": ["kubernetes"]} | (body.get("spec") or {}),
        "status": {"phase": "Active"} | (body.get("status") or {}),
    }
