"""Which kinds a cluster serves, and under which path: asked once per group and version, when first needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.errors import RunnerError

Ask = Callable[[tuple[str, ...]], Mapping[str, Any] | None]
"""Reads the JSON at a path; None where there is nothing."""

INSTALL: Mapping[str, str] = {
    "networking.istio.io": "install Istio's: https://istio.io/latest/docs/setup/install/",
    "gateway.networking.k8s.io": "install the Gateway API's: https://gateway-api.sigs.k8s.io/guides/",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind is called in paths, and whether its objects live in namespaces."""

    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> tuple[str, ...]:
        """The segments of the path of all objects, or of the one called *name*."""
        place = ("namespaces", namespace) if self.namespaced else ()
        return (*root(self.api_version), *place, self.plural, *((name,) if name else ()))


def root(api_version: str) -> tuple[str, ...]:
    """The segments under which a version is served: only the core group has no name."""
    if "/" in api_version:
        group, version = api_version.split("/", 1)
        return ("apis", group, version)
    return ("api", api_version)


class Discovery:
    """Remembers what was found; what was not found may appear, since a stage can apply a CRD."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], Resource] = {}

    def resource(self, api_version: str, kind: str) -> Resource:
        """How to reach objects of *kind*. RunnerError with the way out when the cluster does not serve it."""
        if (api_version, kind) not in self._known:
            self._learn(api_version)
        found = self._known.get((api_version, kind))
        if found is None:
            raise self._unknown(api_version, kind)
        return found

    def _learn(self, api_version: str) -> None:
        listing = self._ask(root(api_version)) or {}
        for item in listing.get("resources") or ():
            name, kind = str(item.get("name", "")), str(item.get("kind", ""))
            if "/" not in name:  # with a slash it is a part of an object, like deployments/scale
                self._known[api_version, kind] = Resource(api_version, name, bool(item.get("namespaced")))

    def _unknown(self, api_version: str, kind: str) -> RunnerError:
        message = f"this cluster knows no {kind} of {api_version}"
        if "/" not in api_version:
            return RunnerError(message, hint="check kind and apiVersion of the manifest")
        group = api_version.split("/", 1)[0]
        served = self._served(group, kind)
        if served:
            return RunnerError(
                message, hint=f"it serves {kind} as {', '.join(served)}: write that apiVersion"
            )
        install = INSTALL.get(group, "apply the file that defines it first")
        return RunnerError(f"{message}: its CustomResourceDefinition is missing", hint=install)

    def _served(self, group: str, kind: str) -> list[str]:
        versions = (self._ask(("apis", group)) or {}).get("versions") or ()
        others = [str(version["groupVersion"]) for version in versions]
        for other in others:
            self._learn(other)
        return [other for other in others if (other, kind) in self._known]
