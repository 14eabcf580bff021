"""Asks the API server, before the first effect, whether it would allow what a run and its rollback need."""

from collections.abc import Sequence
from typing import Any

from runner.adapters.api_server import ApiServer, Request, parsed
from runner.adapters.refusals import Deed, malformed, refusal, silence
from runner.adapters.wire import WireError
from runner.ports import Permission

REVIEWS = ("apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews")


class ClusterAccess:
    """Permissions by SelfSubjectAccessReview, which every authenticated user may create."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def missing(self, permissions: Sequence[Permission]) -> tuple[Permission, ...]:
        """Those of *permissions* that the user does not have, each once, in order."""
        return tuple(needed for needed in dict.fromkeys(permissions) if not self._allowed(needed))

    def _allowed(self, needed: Permission) -> bool:
        deed = Deed("check", f"the permission to {needed}")
        server = self._server.login.server
        try:
            page = self._server.call(Request("POST", REVIEWS, body=_review(needed)))
        except WireError as error:
            raise silence(error, server, deed) from error
        if page.status != 201:
            raise refusal(page, server, deed)
        answer = parsed(page)
        if not isinstance(answer, dict) or not isinstance(answer.get("status"), dict):
            raise malformed(page, server, deed)
        return answer["status"].get("allowed") is True


def _review(needed: Permission) -> dict[str, Any]:
    resource, _, part = needed.resource.partition("/")
    attributes = {
        "verb": needed.verb,
        "group": needed.group,
        "resource": resource,
        "subresource": part,
        "namespace": needed.namespace,
        "name": needed.name,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
