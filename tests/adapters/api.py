"""A KubernetesCluster that speaks to a loopback server, and the words of a real API server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from runner.adapters.api_server import ApiServer
from runner.adapters.kubernetes import KubernetesCluster
from runner.adapters.login import Login
from runner.ports import ObjectRef
from tests.adapters.loopback import Loopback, Reply, Seen, in_turn, says, serving

ISTIO = "networking.istio.io/v1"
REVIEWS = ObjectRef(ISTIO, "VirtualService", "bookinfo", "reviews")

DISCOVERY = {
    "/apis/networking.istio.io/v1": {
        "kind": "APIResourceList",
        "resources": [
            {"name": "virtualservices", "kind": "VirtualService", "namespaced": True},
            {"name": "virtualservices/status", "kind": "VirtualService", "namespaced": True},
        ],
    },
    "/api/v1": {
        "kind": "APIResourceList",
        "resources": [
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
            {"name": "secrets", "kind": "Secret", "namespaced": True},
            {"name": "services", "kind": "Service", "namespaced": True},
        ],
    },
}


def reviews(**more: Any) -> dict[str, Any]:
    return {
        "apiVersion": ISTIO,
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": "bookinfo", **more},
        "spec": {"hosts": ["reviews"]},
    }


def status(code: int, reason: str, message: str, **details: Any) -> Reply:
    """A Status, as an API server writes it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return says(code, body | ({"details": details} if details else {}))


def not_found(seen: Seen) -> Reply:
    return status(404, "NotFound", f"{seen.path} not found")


def discovering(answer: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    """*answer* for everything but the questions which kinds there are."""

    def reply(seen: Seen) -> Reply:
        return says(200, DISCOVERY[seen.path]) if seen.path in DISCOVERY else answer(seen)

    return reply


@dataclass
class Spoken:
    """A cluster, and the server that it speaks to."""

    cluster: KubernetesCluster
    server: Loopback
    api: ApiServer

    @property
    def calls(self) -> list[Seen]:
        """What came in, without discovery."""
        return [seen for seen in self.server.seen if seen.path not in DISCOVERY]

    def now_at(self, url: str) -> None:
        """The server moves."""
        self.api.login = Login(url)


@contextmanager
def speaking_to(answer: Callable[[Seen], Reply] | Sequence[Reply], **login: Any) -> Iterator[Spoken]:
    """A cluster whose API server answers by *answer*."""
    deadline = 30.0 if callable(answer) else min((reply.deadline for reply in answer), default=30.0)
    with serving(discovering(answer if callable(answer) else in_turn(answer))) as server:
        api = ApiServer(Login(server.url, **login), deadline=deadline)
        try:
            yield Spoken(KubernetesCluster(api), server, api)
        finally:
            api.close()
