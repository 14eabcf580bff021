"""The Cluster port on a real API server: plain JSON, any kind, every write sent once."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.adapters.api_server import APPLY, ApiServer, Request, parsed
from runner.adapters.discovery import Discovery, Resource
from runner.adapters.refusals import NO_SUCH_PATH, Deed, is_status, malformed, refusal, silence
from runner.adapters.wire import Page, WireError
from runner.errors import ConflictError, RunnerError
from runner.model.stages import KubeObject
from runner.ports import ObjectRef

MANAGER = "runner"
PAGE = 250  # objects of one page of a list
NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class KubernetesCluster:
    """Objects of one cluster as one user sees them. Every method raises as `runner.ports` says."""

    def __init__(self, server: ApiServer, manager: str = MANAGER) -> None:
        self._server = server
        self._written_by = (("fieldManager", manager), ("fieldValidation", "Strict"))
        self._discovery = Discovery(self._discover)

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """The object, or None where it, or its namespace, does not exist."""
        resource = self._discovery.resource(ref.api_version, ref.kind)
        deed = _deed("get", ref, resource)
        return self._ask(Request("GET", resource.path(ref.namespace, ref.name)), deed, absent_is_none=True)

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        """Every object of *kind* in *namespace* with *labels*, page by page."""
        resource = self._discovery.resource(api_version, kind)
        deed = _deed("list", ObjectRef(api_version, kind, namespace, ""), resource)
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        found: list[KubeObject] = []
        more = ""
        while True:
            query = (("labelSelector", selector), ("limit", str(PAGE)), ("continue", more))
            kept = tuple((key, value) for key, value in query if value)
            answer = self._must(Request("GET", resource.path(namespace), kept), deed)
            found += [{"apiVersion": api_version, "kind": kind} | item for item in answer.get("items") or ()]
            more = (answer.get("metadata") or {}).get("continue") or ""
            if not more:
                return found

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """Server-side apply; what the server made of it."""
        ref, resource = self._located(manifest)
        query = (
            self._written_by
            + ((("force", "true"),) if force else ())
            + ((("dryRun", "All"),) if dry_run else ())
        )
        body = as_yaml(manifest)
        request = Request("PATCH", resource.path(ref.namespace, ref.name), query, body, APPLY)
        return self._must(request, _deed("apply", ref, resource, writes=not dry_run))

    def create(self, manifest: KubeObject) -> KubeObject:
        """Create; ConflictError where an object of this name exists."""
        ref, resource = self._located(manifest)
        request = Request("POST", resource.path(ref.namespace), self._written_by, manifest)
        return self._must(request, _deed("create", ref, resource, writes=True))

    def replace(self, changed: KubeObject) -> KubeObject:
        """Write back an object that was read; ConflictError where it has changed since, or is gone."""
        ref, resource = self._located(changed)
        if not changed["metadata"].get("resourceVersion"):
            raise RunnerError(
                f"cannot replace {ref}: it carries no resourceVersion, so nothing guards the write"
            )
        request = Request("PUT", resource.path(ref.namespace, ref.name), self._written_by, changed)
        written = self._ask(request, _deed("replace", ref, resource, writes=True), absent_is_none=True)
        if written is None:
            raise ConflictError(f"cannot replace {ref} in namespace {ref.namespace}: it has been deleted")
        return written

    def _located(self, manifest: KubeObject) -> tuple[ObjectRef, Resource]:
        metadata = manifest["metadata"]
        ref = ObjectRef(
            manifest["apiVersion"],
            manifest["kind"],
            metadata.get("namespace") or "",
            metadata.get("name") or "",
        )
        return ref, self._discovery.resource(ref.api_version, ref.kind)

    def _must(self, request: Request, deed: Deed) -> dict[str, Any]:
        answer = self._ask(request, deed)
        assert answer is not None  # noqa: S101 - only with absent_is_none
        return answer

    def _ask(self, request: Request, deed: Deed, *, absent_is_none: bool = False) -> dict[str, Any] | None:
        page = self._page(request, deed)
        if absent_is_none and page.status == 404 and is_status(parsed(page)):
            return None
        return self._object(page, deed)

    def _discover(self, path: tuple[str, ...]) -> Mapping[str, Any] | None:
        deed = Deed("find out", f"what the cluster serves under /{'/'.join(path)}")
        page = self._page(Request("GET", path), deed)
        if page.status == 404 and (is_status(parsed(page)) or page.body.startswith(NO_SUCH_PATH)):
            return None
        return self._object(page, deed)

    def _page(self, request: Request, deed: Deed) -> Page:
        try:
            return self._server.call(request)
        except WireError as error:
            raise silence(error, self._server.login.server, deed) from error

    def _object(self, page: Page, deed: Deed) -> dict[str, Any]:
        if page.status not in (200, 201):
            raise refusal(page, self._server.login.server, deed)
        answer = parsed(page)
        if not isinstance(answer, dict):
            raise malformed(page, self._server.login.server, deed)
        return answer


def _deed(verb: str, ref: ObjectRef, resource: Resource, *, writes: bool = False) -> Deed:
    if resource.namespaced and not ref.namespace:
        raise RunnerError(f"cannot {verb} {ref}: it lives in a namespace and names none")
    target = str(ref) if ref.name else resource.plural
    namespace = ref.namespace if resource.namespaced else ""
    return Deed(verb, target, namespace, writes=writes, secret=ref.kind == "Secret")


def as_yaml(manifest: KubeObject) -> bytes:
    """JSON that is YAML too: surrogate pairs as escapes are none there, nor are raw control characters."""
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
    return NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
