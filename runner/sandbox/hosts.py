"""Names of Services, and which requests an http route takes, as Istio reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.model.scenario import Load

DOMAIN = "svc.cluster.local"


def full_name(host: str, namespace: str) -> str:
    """*host* as Istio resolves it from *namespace*: a name without dots is a Service there, others stand."""
    return f"{host}.{namespace}.{DOMAIN}" if "." not in host else host


def service_of(host: str) -> tuple[str, str] | None:
    """Namespace and name of the Service that the full name *host* means, or None."""
    name, _, rest = host.partition(".")
    namespace, _, domain = rest.partition(".")
    return (namespace, name) if domain == DOMAIN else None


@dataclass(frozen=True, slots=True)
class Request:
    """What an http route looks at."""

    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"


def request_for(load: Load, route: Mapping[str, Any] | None) -> Request:
    """The requests of *load*; what it leaves open is whatever the first match of *route* asks for."""
    matches = (route or {}).get("match") or []
    wanted = matches[0] if matches and load.path is None and not load.headers else {}
    headers = {name: _example(match) for name, match in (wanted.get("headers") or {}).items()}
    return Request(
        path=load.path or _example(wanted.get("uri")) or "/",
        headers=load.headers or tuple(sorted(headers.items())),
        method=_example(wanted.get("method")) or "GET",
    )


def takes(route: Mapping[str, Any], request: Request) -> bool:
    """Whether *route* is for *request*: one of its matches fits, or it has none."""
    matches = route.get("match") or []
    return not matches or any(_fits(match, request) for match in matches)


def _fits(match: Mapping[str, Any], request: Request) -> bool:
    headers = {name.lower(): value for name, value in request.headers}
    return (
        _holds(match.get("uri"), request.path)
        and _holds(match.get("method"), request.method)
        and all(_present(headers, name, wanted) for name, wanted in (match.get("headers") or {}).items())
        and not any(
            _present(headers, name, wanted) for name, wanted in (match.get("withoutHeaders") or {}).items()
        )
        and not any(match.get(other) for other in ("queryParams", "sourceLabels", "sourceNamespace"))
    )


def _present(headers: Mapping[str, str], name: str, wanted: Mapping[str, str]) -> bool:
    return name.lower() in headers and _holds(wanted, headers[name.lower()])


def _holds(wanted: Mapping[str, str] | None, value: str) -> bool:
    if not wanted:
        return True
    if "exact" in wanted:
        return value == wanted["exact"]
    if "prefix" in wanted:
        return value.startswith(wanted["prefix"])
    return re.fullmatch(wanted.get("regex", ".*"), value) is not None


def _example(wanted: Mapping[str, str] | None) -> str:
    return next((wanted[form] for form in ("exact", "prefix") if form in wanted), "") if wanted else ""
