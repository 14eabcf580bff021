"""The sandbox's cluster behind HTTP, as far as `runner` asks it: what the commands do on a cluster, without one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml

from runner.errors import ConflictError, RunnerError
from runner.model.playbook import Playbook
from runner.ports import ObjectRef
from runner.sandbox import World, open_world
from runner.sandbox.kinds import SERVED
from tests.adapters.api import not_found, status
from tests.adapters.loopback import Reply, Seen, says, serving

RESOURCES = [
    (line.split()[0], line.split()[1], line.split()[2], "cluster" in line.split())
    for line in SERVED.split("\n")
    if line
]


VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Server:
    """Answers requests from a sandbox whose time stands still; *roles*, where given, are all that is allowed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: list[Seen] = []
        self.roles: list[dict[str, Any]] | None = None

    def answer(self, seen: Seen) -> Reply:
        """One reply; what goes wrong has the status that a real server gives it."""
        self.seen.append(seen)
        parts = [part for part in seen.path.split("/") if part]
        if parts[-1] == "selfsubjectaccessreviews":
            asked = seen.json["spec"]["resourceAttributes"]
            answer = {"kind": "SelfSubjectAccessReview", "status": {"allowed": self._allows(asked)}}
            return says(201, answer)
        group_parts = 2 if parts[0] == "api" else 3
        version = "/".join(parts[1:group_parts])
        rest = parts[group_parts:]
        try:
            return self._discovery(version) if not rest else self._object(seen, version, rest)
        except ConflictError as error:
            reason = "AlreadyExists" if seen.method == "POST" else "Conflict"
            return status(409, reason, error.message)
        except RunnerError as error:
            return status(422, "Invalid", error.message)

    def _discovery(self, version: str) -> Reply:
        group, _, number = version.rpartition("/")
        served = [
            {"name": plural, "kind": kind, "namespaced": not cluster}
            for of, kind, plural, cluster in RESOURCES
            if of.rpartition("/")[0] == group and number in of.rpartition("/")[2].split(",")
        ]
        return says(200, {"kind": "APIResourceList", "resources": served})

    def _object(self, seen: Seen, version: str, rest: list[str]) -> Reply:
        namespace = rest[1] if rest[0] == "namespaces" and rest[2:] else ""
        plural, *name = rest[2:] if namespace else rest
        asked = {
            "verb": VERBS.get(seen.method, "get" if name else "list"),
            "group": version.rpartition("/")[0],
            "resource": plural,
            "namespace": namespace,
            "name": name[0] if name else "",
        }
        if not self._allows(asked):
            return status(403, "Forbidden", f"{asked['verb']} {plural} is forbidden", kind=plural)
        kind = next(kind for _, kind, of, _ in RESOURCES if of == plural)
        cluster = self.world.cluster
        match seen.method:
            case "GET" if name:
                found = cluster.get(ObjectRef(version, kind, namespace, name[0]))
                return not_found(seen) if found is None else says(200, found)
            case "GET":
                query = dict(parse_qsl(seen.target.partition("?")[2]))
                labels = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
                return says(
                    200,
                    {"kind": f"{kind}List", "items": list(cluster.list(version, kind, namespace, labels))},
                )
            case "POST":
                return says(201, cluster.create(seen.json))
            case "PUT":
                return says(200, cluster.replace(seen.json))
            case _:
                return says(200, cluster.apply(yaml.safe_load(seen.body)))

    def _allows(self, asked: Mapping[str, str]) -> bool:
        """As RBAC decides: some rule of a role of the namespace, or of the cluster, has it all."""
        return self.roles is None or any(
            _covers(rule, asked)
            for role in self.roles
            if role["metadata"].get("namespace", asked.get("namespace")) == asked.get("namespace")
            for rule in role["rules"]
        )


def _covers(rule: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    part = f"/{asked['subresource']}" if asked.get("subresource") else ""
    return (
        asked["verb"] in rule["verbs"]
        and asked.get("group", "") in rule["apiGroups"]
        and f"{asked['resource']}{part}" in rule["resources"]
        and ("resourceNames" not in rule or asked.get("name") in rule["resourceNames"])
    )


@contextmanager
def cluster_of(
    playbook: Playbook, folder: Path, start: float, token: str = "t"
) -> Iterator[tuple[Server, Path]]:
    """A server with the world that *playbook* assumes, and the kubeconfig in *folder* that leads to it."""
    server = Server(open_world(playbook, None, seed=1, start=start))
    with serving(server.answer) as loopback:
        yield server, _kubeconfig(folder, loopback.url, token)


def _kubeconfig(folder: Path, url: str, token: str) -> Path:
    path = folder / "kubeconfig"
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "ann", "user": {"token": token}}],
        "contexts": [
            {"name": "test", "context": {"cluster": "test", "user": "ann", "namespace": "bookinfo"}}
        ],
    }
    path.write_text(json.dumps(body))
    return path
