"""What an API server's answer, or its silence, means: foreign words in, `runner.errors` out."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.adapters.api_server import parsed
from runner.adapters.wire import NotSentError, Page, UntrustedError, WireError
from runner.errors import (
    ApplyConflictError,
    ConflictError,
    FieldConflict,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)

SHOWN = 600  # characters of a server's message
NO_SUCH_PATH = b"404 page not found"  # what an API server says where it serves nothing at all
NOT_TYPED = "failed to create typed patch object"  # a server-side apply that could not be read, said with 500
MANAGER = re.compile(r'^conflict with ("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Deed:
    """What was asked, in words, and whether it may have changed something."""

    verb: str
    target: str
    namespace: str = ""
    writes: bool = False
    secret: bool = False

    def __str__(self) -> str:
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.target}{place}"


def silence(error: WireError, server: str, deed: Deed) -> RunnerError:
    """What it means that no whole answer came for *deed*."""
    match error:
        case UntrustedError():
            return RunnerError(
                f"cannot {deed}: {server} is not trusted: {error.reason}",
                hint="check certificate-authority and server of this cluster in the kubeconfig",
            )
        case NotSentError():
            hint = f"is {server} the right address, and is it reachable from this machine?"
            return TransientError(f"cannot {deed}: {server} cannot be reached: {error.reason}", hint=hint)
        case _:
            return _unknown(deed, f"{server} was asked, and {error.reason}")


def refusal(page: Page, server: str, deed: Deed) -> RunnerError:
    """What a *page* that is no success means for *deed*."""
    status = parsed(page)
    if not is_status(status):
        return _foreign(page, server, deed)
    if page.status == 429:
        return TransientError(f"cannot {deed}: {_message(status, deed)}", retry_after=page.retry_after)
    if page.status >= 500 and not str(status.get("message")).startswith(NOT_TYPED):
        return _unknown(deed, _message(status, deed), page.retry_after)
    return _no(page.status, status, deed)


def is_status(answer: Any) -> bool:
    """Whether *answer* is the API server's own word; a proxy in between has none of these."""
    return isinstance(answer, dict) and answer.get("kind") == "Status"


def malformed(page: Page, server: str, deed: Deed) -> RunnerError:
    """What it means that *page* is a success and yet not the JSON that was expected."""
    kind = page.headers.get("Content-Type", "no type").split(";")[0]
    return _unknown(deed, f"{server} answered {page.status} with {kind}, expected a JSON object")


def _no(code: int, status: Mapping[str, Any], deed: Deed) -> RunnerError:
    message = f"cannot {deed}: {_message(status, deed)}"
    match code:
        case 401:
            hint: str | None = "log in again; `kubectl auth whoami` shows whether the kubeconfig works"
            message = f"cannot {deed}: the API server does not accept these credentials (401)"
        case 403:
            hint = _forbidden_hint(status, deed)
        case 404:
            hint = _missing_hint(status)
        case 409:
            return _conflict(status, message)
        case _:
            hint = _denial_hint(status)
    return RunnerError(message, hint=hint)


def _unknown(deed: Deed, reason: str, retry_after: float | None = None) -> TransientError:
    if deed.writes:
        return UnknownOutcomeError(
            f"nobody knows whether it happened: {deed}: {reason}", retry_after=retry_after
        )
    return TransientError(f"cannot {deed}: {reason}", retry_after=retry_after)


def _foreign(page: Page, server: str, deed: Deed) -> RunnerError:
    """An answer without a Status is not the API server's own: a proxy, a login page, something else."""
    if page.status == 429:
        return TransientError(f"cannot {deed}: {server} is busy (429)", retry_after=page.retry_after)
    if page.status >= 500:
        return _unknown(deed, f"{server} answered {page.status}", page.retry_after)
    if 300 <= page.status < 400:
        place = page.headers.get("Location", "elsewhere")[:SHOWN]
        return RunnerError(f"cannot {deed}: {server} sends us on to {place}; redirects are not followed")
    if page.status == 404 and page.body.startswith(NO_SUCH_PATH):
        hint = "was its CustomResourceDefinition deleted just now?"
        return RunnerError(f"cannot {deed}: {server} no longer serves this kind", hint=hint)
    kind = page.headers.get("Content-Type", "no type").split(";")[0]
    return RunnerError(
        f"cannot {deed}: {server} answered {page.status} with {kind}, which no API server does",
        hint="check the server's address in the kubeconfig; a proxy or a login page may be in between",
    )


def _message(status: Mapping[str, Any], deed: Deed) -> str:
    """The server's words, and not for ever; of a Secret only which fields it means, since words may quote values."""
    if deed.secret:
        fields = sorted({str(cause["field"]) for cause in _causes(status) if cause.get("field")})
        return (
            f"the server refuses {', '.join(fields) or 'it'} ({status.get('reason') or status.get('code')})"
        )
    return str(status.get("message") or status.get("reason") or "no reason given")[:SHOWN]


def _causes(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    causes = (status.get("details") or {}).get("causes") or []
    return [cause for cause in causes if isinstance(cause, dict)]


def _conflict(status: Mapping[str, Any], message: str) -> RunnerError:
    causes = [cause for cause in _causes(status) if cause.get("reason") == "FieldManagerConflict"]
    if not causes:
        return ConflictError(message)
    conflicts = tuple(_field_conflict(cause) for cause in causes)
    return ApplyConflictError(message, conflicts)


def _field_conflict(cause: Mapping[str, Any]) -> FieldConflict:
    """The message tells the operation: only for an Update does it say with which version it was made.

    Source: k8s.io/apimachinery pkg/util/managedfields/internal/conflict.go, `printManager`.
    """
    message = str(cause.get("message", ""))
    found = MANAGER.match(message)
    manager = found[1][1:-1] if found else message
    rest = message[found.end() :] if found else ""
    operation = "Update" if " using " in rest else "Apply"
    return FieldConflict(manager, operation, str(cause.get("field", "")))


def _forbidden_hint(status: Mapping[str, Any], deed: Deed) -> str | None:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status)):
        return f"namespace {deed.namespace} is being deleted; wait until it is gone, then create it again"
    details = status.get("details") or {}
    if not details.get("kind") or "quota" in str(status.get("message", "")):
        return None
    group = f".{details['group']}" if details.get("group") else ""
    name = f"/{details['name']}" if details.get("name") else ""
    verb = {"apply": "patch", "replace": "update"}.get(deed.verb, deed.verb)
    place = f" -n {shlex.quote(deed.namespace)}" if deed.namespace else ""
    resource = f"{details['kind']}{group}{name}"
    return f"ask for this permission; `kubectl auth can-i {verb} {shlex.quote(resource)}{place}` checks it"


def _missing_hint(status: Mapping[str, Any]) -> str | None:
    details = status.get("details") or {}
    if details.get("kind") != "namespaces":
        return None
    name = shlex.quote(str(details.get("name", "NAME")))
    return f"kubectl create namespace {name} && kubectl label namespace {name} istio-injection=enabled"


def _denial_hint(status: Mapping[str, Any]) -> str | None:
    message = str(status.get("message", ""))
    if "strict decoding error" in message:
        return "a field of the manifest is misspelt or written twice"
    if message.startswith(NOT_TYPED):
        return "a field of the manifest is misspelt, or its value is of another type"
    if "admission webhook" in message:
        return "the cluster's own checks refuse this object; change the manifest"
    return None
