"""When a bearer token ends, as far as it says so itself.

Claims: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4, and those of Kubernetes' bound service account tokens,
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens.
Nothing is believed because of them: a signature is the server's business, and so is the verdict.
"""

import base64
from collections.abc import Mapping
from typing import Any

from runner.foreign import json_of
from runner.ports import Ending
from runner.secrecy import Secret

LATEST = 253_402_300_800  # Unix seconds of the year 10000, where calendars end


def ending_of(token: Secret, what: str) -> Ending | None:
    """The end of *token*, called *what*; None where it says none. A pod's own token is renewed by its kubelet."""
    claims = _claims(token.reveal())
    at = claims.get("exp")
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at < LATEST:
        return None
    bound = claims.get("kubernetes.io")
    of_pod = isinstance(bound, dict) and "pod" in bound
    return Ending(what, float(at), "the kubelet" if of_pod else None)


def _claims(token: str) -> Mapping[str, Any]:
    """The middle of a JSON Web Token; empty where *token* is something else."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json_of(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
