"""Manifests as kubectl reads them: YAML 1.1-like scalars, several documents a file, lists taken apart."""

from collections.abc import Iterator
from typing import Any, Final

from runner.document.load import Dialect, convert
from runner.document.nodes import compose
from runner.document.scalars import read_as_kubectl, spelt_by_kubectl
from runner.document.source import decode
from runner.document.tree import Document
from runner.errors import Diagnostic, InvalidDocumentError

DIALECT: Final = Dialect(
    read_as_kubectl, spelt_by_kubectl, merge=True, max_nodes=100_000, max_scalar=1024 * 1024
)


def parse_manifests(raw: bytes, file: str) -> tuple[Document, ...]:
    """Every document of a manifest file. InvalidDocumentError."""
    text = decode(raw, file)
    read = [convert(node, text, file, DIALECT) for node in compose(text, file)]
    found = tuple(diagnostic for _, diagnostics in read for diagnostic in diagnostics)
    if found:
        raise InvalidDocumentError(found)
    return tuple(document for document, _ in read)


def objects(document: Document) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The objects of one document with their paths: itself, or the items of a list."""
    tree = document.tree
    if isinstance(tree, dict) and str(tree.get("kind", "")).endswith("List") and "items" in tree:
        items = tree["items"] if isinstance(tree["items"], list) else []
        yield from ((("items", index), item) for index, item in enumerate(items))
    else:
        yield (), tree


def shape(document: Document, path: tuple[str | int, ...], found: Any) -> Iterator[Diagnostic]:
    """What keeps *found* from being a Kubernetes object that can be applied."""
    if not isinstance(found, dict):
        yield document.diagnostic("RUN306", "a Kubernetes object is expected here", path)
        return
    for key in ("apiVersion", "kind"):
        if not isinstance(found.get(key), str) or not found[key]:
            yield document.diagnostic("RUN306", f'a Kubernetes object needs "{key}", a text', (*path, key))
    if str(found.get("apiVersion", "")).startswith("runner/"):
        message, hint = "this is a document of runner, not a manifest", "keep playbooks and manifests apart"
        yield document.diagnostic("RUN306", message, path, hint=hint)
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        hint = "server-side apply needs a name; generateName makes a new object every time"
        yield document.diagnostic(
            "RUN306", 'the object has no "metadata.name"', (*path, "metadata"), hint=hint
        )
    elif not isinstance(metadata.get("namespace", ""), str):
        yield document.diagnostic(
            "RUN306", '"metadata.namespace" is not text', (*path, "metadata", "namespace")
        )


CLUSTER_SCOPED: Final = {
    "v1": {"ComponentStatus", "Namespace", "Node", "PersistentVolume"},
    "admissionregistration.k8s.io": {
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition"},
    "apiregistration.k8s.io": {"APIService"},
    "certificates.k8s.io": {"CertificateSigningRequest", "ClusterTrustBundle"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
    "gateway.networking.k8s.io": {"GatewayClass"},
    "networking.k8s.io": {"IPAddress", "IngressClass", "ServiceCIDR"},
    "node.k8s.io": {"RuntimeClass"},
    "policy": {"PodSecurityPolicy"},
    "rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
    "resource.k8s.io": {"DeviceClass", "ResourceSlice"},
    "scheduling.k8s.io": {"PriorityClass"},
    "storage.k8s.io": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
}
"""Kinds without a namespace, by group (Kubernetes API reference 1.34); the core group is `v1`."""


NAMESPACED_CLUSTERS: Final = {"Cluster", "ClusterServiceVersion"}
"""Custom kinds whose name begins like those of the whole cluster and that have a namespace."""


def is_cluster_scoped(api_version: str, kind: str) -> bool:
    """Whether objects of this kind have no namespace. Kinds that are not built in are taken to have one."""
    group = api_version.rpartition("/")[0] or api_version
    if kind in CLUSTER_SCOPED.get(group, ()):
        return True
    custom = "." in group and not group.endswith(".k8s.io")
    return custom and kind.startswith("Cluster") and kind not in NAMESPACED_CLUSTERS


def in_namespace(found: dict[str, Any], namespace: str) -> dict[str, Any]:
    """*found* in its own namespace, else in *namespace*; objects of the whole cluster stay without."""
    if is_cluster_scoped(found["apiVersion"], found["kind"]) or found["metadata"].get("namespace"):
        return found
    return {**found, "metadata": {**found["metadata"], "namespace": namespace}}
