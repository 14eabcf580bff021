"""The kinds that the API server serves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from runner.errors import RunnerError

ISTIO = "networking.istio.io"

SERVED = f"""
v1                              ConfigMap           configmaps
v1                              Endpoints           endpoints
v1                              Event               events
v1                              Namespace           namespaces          cluster
v1                              Node                nodes               cluster
v1                              PersistentVolume    persistentvolumes   cluster
v1                              PersistentVolumeClaim persistentvolumeclaims
v1                              Pod                 pods
v1                              Secret              secrets
v1                              Service             services
v1                              ServiceAccount      serviceaccounts
apps/v1                         DaemonSet           daemonsets
apps/v1                         Deployment          deployments
apps/v1                         ReplicaSet          replicasets
apps/v1                         StatefulSet         statefulsets
autoscaling/v1,v2               HorizontalPodAutoscaler horizontalpodautoscalers
batch/v1                        CronJob             cronjobs
batch/v1                        Job                 jobs
policy/v1                       PodDisruptionBudget poddisruptionbudgets
coordination.k8s.io/v1          Lease               leases
discovery.k8s.io/v1             EndpointSlice       endpointslices
networking.k8s.io/v1            Ingress             ingresses
networking.k8s.io/v1            NetworkPolicy       networkpolicies
rbac.authorization.k8s.io/v1    Role                roles
rbac.authorization.k8s.io/v1    RoleBinding         rolebindings
rbac.authorization.k8s.io/v1    ClusterRole         clusterroles        cluster
rbac.authorization.k8s.io/v1    ClusterRoleBinding  clusterrolebindings cluster
apiextensions.k8s.io/v1         CustomResourceDefinition customresourcedefinitions cluster
{ISTIO}/v1,v1beta1,v1alpha3     VirtualService      virtualservices
{ISTIO}/v1,v1beta1,v1alpha3     DestinationRule     destinationrules
{ISTIO}/v1,v1beta1,v1alpha3     Gateway             gateways
{ISTIO}/v1,v1beta1,v1alpha3     ServiceEntry        serviceentries
{ISTIO}/v1,v1beta1,v1alpha3     Sidecar             sidecars
{ISTIO}/v1,v1beta1,v1alpha3     WorkloadEntry       workloadentries
{ISTIO}/v1,v1beta1,v1alpha3     WorkloadGroup       workloadgroups
{ISTIO}/v1alpha3                EnvoyFilter         envoyfilters
{ISTIO}/v1beta1                 ProxyConfig         proxyconfigs
security.istio.io/v1,v1beta1    AuthorizationPolicy authorizationpolicies
security.istio.io/v1,v1beta1    PeerAuthentication  peerauthentications
security.istio.io/v1,v1beta1    RequestAuthentication requestauthentications
telemetry.istio.io/v1,v1alpha1  Telemetry           telemetries
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object in a group; every served version shows the same objects."""

    group: str
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[str, ...]

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition makes it known."""
        return "." in self.group and not self.group.endswith(".k8s.io")

    @property
    def api_version(self) -> str:
        """The version that is stored."""
        return f"{self.group}/{self.versions[0]}" if self.group else self.versions[0]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where an object lies, whatever version it was written in."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def group_of(api_version: str) -> str:
    """The group of `group/version`; the core group has no name."""
    return api_version.rpartition("/")[0]


@cache
def _served() -> Mapping[tuple[str, str], Kind]:
    kinds = {}
    for line in SERVED.strip().splitlines():
        api_version, kind, plural, *scope = line.split()
        group, _, versions = api_version.rpartition("/")
        kinds[group, kind] = Kind(group, kind, plural, not scope, tuple(versions.split(",")))
    return kinds


def find(api_version: str, kind: str, definitions: Iterable[Mapping[str, Any]]) -> Kind:
    """The kind as served, *definitions* being the CustomResourceDefinitions in the cluster. RunnerError."""
    group = group_of(api_version)
    found = _served().get((group, kind)) or next(
        (
            defined
            for body in definitions
            if (defined := _defined(body)) and (defined.group, defined.kind) == (group, kind)
        ),
        None,
    )
    version = api_version.rpartition("/")[2]
    if found is not None and version in found.versions:
        return found
    raise _unknown(api_version, kind, found)


def knows(api_version: str, kind: str) -> bool:
    """Whether a fresh cluster with Istio serves *kind*."""
    return (group_of(api_version), kind) in _served()


@cache
def is_builtin(kind: str) -> bool:
    """Whether Kubernetes itself brings *kind*."""
    return any(known.kind == kind and not known.custom for known in _served().values())


def _unknown(api_version: str, kind: str, other: Kind | None) -> RunnerError:
    message = f"this cluster knows no {kind} of {api_version}"
    if other is not None:
        served = ", ".join(
            f"{other.group}/{version}" if other.group else version for version in other.versions
        )
        return RunnerError(message, hint=f"it serves {kind} as {served}: write that apiVersion")
    if not group_of(api_version):
        return RunnerError(message, hint="check kind and apiVersion of the manifest")
    return RunnerError(
        f"{message}: its CustomResourceDefinition is missing", hint="apply the file that defines it first"
    )


def _defined(body: Mapping[str, Any]) -> Kind | None:
    try:
        spec = body["spec"]
        names = spec["names"]
        versions = tuple(version["name"] for version in spec["versions"] if version.get("served", True))
        return Kind(spec["group"], names["kind"], names["plural"], spec["scope"] == "Namespaced", versions)
    except (KeyError, TypeError):
        return None


def plain_key(kind: str, namespace: str, name: str) -> Key:
    """The key of `KIND/NAME` as people say it, by the first group that serves *kind*."""
    group = next((group for group, known in _served() if known == kind), "")
    namespaced = (group, kind) not in _served() or _served()[group, kind].namespaced
    return Key(group, kind, namespace if namespaced else "", name)
