"""Who else owns an object: the last editor, and GitOps controllers that would fight us for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from runner.errors import RunnerError
from runner.model.playbook import Route
from runner.model.stages import KubeObject

ARGO_SNIPPET = """spec:
  ignoreDifferences:
    - {group: networking.istio.io, kind: VirtualService, jqPathExpressions: ['.spec.http[].route[].weight']}
  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}"""  # without it a sync applies what a diff ignores
FLUX_SNIPPET = """metadata:
  annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}"""


ROUTES = ("f:spec", "f:http")  # a list that has one owner as a whole, as managedFields write its path


def last_editor(found: KubeObject, field: Sequence[str] = ()) -> str:
    """The manager whose write is the newest, with its time, as the API server recorded it; a status is no edit.

    Of *field* alone where its path is given: somebody who owns it has changed it, whoever wrote something else
    since. Where nobody owns it, the newest of all.
    """
    entries = [
        entry
        for entry in found.get("metadata", {}).get("managedFields", [])
        if entry.get("time") and entry.get("subresource") != "status"
    ]
    entries = [entry for entry in entries if _owns(entry.get("fieldsV1"), field)] or entries
    if not entries:
        return "an unknown manager"
    newest = max(entries, key=lambda entry: str(entry["time"]))
    return f"{newest.get('manager', 'an unknown manager')} at {newest['time']}"


def _owns(fields: Mapping[str, Any] | None, path: Sequence[str]) -> bool:
    for element in path:
        if not fields or element not in fields:
            return False
        fields = fields[element]
    return True


def gitops_owner(found: KubeObject) -> str | None:
    """`Argo CD` or `Flux` where their marks are on the object.

    Source: the tracking annotation of Argo CD's resource tracking, the labels of Flux's kustomize and helm
    controllers.
    """
    metadata = found.get("metadata", {})
    marks = {*(metadata.get("annotations") or {}), *(metadata.get("labels") or {})}
    if "argocd.argoproj.io/tracking-id" in marks or "argocd.argoproj.io/instance" in marks:
        return "Argo CD"
    if any(mark.startswith(("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/")) for mark in marks):
        return "Flux"
    return None


def refuse_gitops(found: KubeObject, route: Route) -> None:
    """RunnerError where a sync would put the weights back behind our back."""
    owner = gitops_owner(found)
    if owner is None or route.gitops == "weights-ignored":
        return
    snippet = ARGO_SNIPPET if owner == "Argo CD" else FLUX_SNIPPET
    raise RunnerError(
        f"VirtualService {route.namespace}/{route.virtual_service} belongs to {owner},"
        " which would put its weights back",
        hint=f"tell {owner} to leave them alone:\n{snippet}\n"
        f"then write `gitops: weights-ignored` at route {route.name!r}",
    )
