"""A client of the rig's API server, small enough to trust: JSON over HTTPS with a token, the standard library only."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

PLURALS = {
    "Endpoints": "endpoints",
    "Gateway": "gateways",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
}
CLUSTER_SCOPED = {
    "Namespace",
    "Node",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "ClusterRole",
    "ClusterRoleBinding",
}


class ApiError(Exception):
    """The API server's refusal."""

    def __init__(self, code: int, status: Object) -> None:
        super().__init__(f"{code} {status.get('reason', '')}: {status.get('message', '')}")
        self.code = code
        self.status = status


def path_of(api_version: str, plural: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a collection, or of one object in it."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{plural}" + (f"/{name}" if name else "")


def path_of_object(document: Object) -> str:
    """The URL path of an object from its own apiVersion, kind and metadata."""
    kind = document["kind"]
    plural = PLURALS.get(kind) or kind.lower() + "s"
    namespace = "" if kind in CLUSTER_SCOPED else document["metadata"].get("namespace", "default")
    return path_of(document["apiVersion"], plural, namespace, document["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class Api:
    """One server with one identity."""

    server: str
    token: str
    authority: Path
    _tls: ssl.SSLContext = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tls", ssl.create_default_context(cafile=str(self.authority)))

    def get(self, path: str, **query: str) -> Object:
        return self._call("GET", _with(path, query))

    def post(self, path: str, document: Object) -> Object:
        return self._call("POST", path, document)

    def merge(self, path: str, document: Object, **query: str) -> Object:
        """JSON merge patch."""
        return self._call("PATCH", _with(path, query), document, "application/merge-patch+json")

    def apply(self, document: Object, *, manager: str = "rig") -> Object:
        """Server-side apply, forced."""
        path = _with(path_of_object(document), {"fieldManager": manager, "force": "true"})
        return self._call("PATCH", path, document, "application/apply-patch+yaml")

    def apply_file(self, path: Path, namespace: str = "default") -> None:
        """Apply every document of a YAML file; objects without a namespace go to the one given."""
        for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
            if document:
                document["metadata"].setdefault("namespace", namespace)
                if document["kind"] in CLUSTER_SCOPED:
                    del document["metadata"]["namespace"]
                self.apply(document)

    def delete(self, path: str, options: Object | None = None) -> Object:
        return self._call("DELETE", path, options)

    def watch(self, path: str, version: str, *, seconds: int = 3600) -> Iterator[Object]:
        """Yield events until the server ends the watch."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
            "allowWatchBookmarks": "false",
        }
        with self._open("GET", _with(path, query), timeout=seconds + 60) as lines:
            for line in lines:
                yield json.loads(line)

    def text(self, path: str) -> str:
        """The body of a GET as it came, for what is not JSON."""
        with self._open("GET", path) as answer:
            return str(answer.read().decode())

    def _call(
        self, method: str, path: str, document: Object | None = None, kind: str = "application/json"
    ) -> Object:
        try:
            with self._open(method, path, document, kind) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _status(error)) from None

    def _open(
        self,
        method: str,
        path: str,
        document: Object | None = None,
        kind: str = "application/json",
        timeout: float = 15,
    ) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": kind,
            "Accept": "application/json",
        }
        request = urllib.request.Request(self.server + path, body, headers, method=method)
        return urllib.request.urlopen(request, context=self._tls, timeout=timeout)


def _with(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urllib.parse.urlencode(query)}" if query else path


def _status(error: urllib.error.HTTPError) -> Object:
    body = error.read()
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"message": body.decode(errors="replace")[:500]}
