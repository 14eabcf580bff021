"""The way back without runner: plain kubectl lines that anybody with the right to patch can paste."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from runner.model.playbook import Route
from runner.model.split import Split, canary_split
from runner.reports.escape import escape
from runner.reports.view import RunView


def kubectl_back(
    route: Route,
    split: Split,
    *,
    http: int = 0,
    destinations: Sequence[Mapping[str, Any]] = (),
    context: str | None = None,
) -> str:
    """One `kubectl patch` (JSON Patch, RFC 6902) that gives *route* the weights of *split*.

    *http* is the http route's index in the VirtualService, *destinations* its `route` list as written: each
    keeps all but its weight. Without them the list is written anew, from the route's host and subsets.
    """
    if destinations and {*split} <= {_subset(item) for item in destinations}:
        operations = _weights(destinations, split, http)
    else:
        operations = [{"op": "replace", "path": f"/spec/http/{http}/route", "value": _anew(route, split)}]
    patch = _word(json.dumps(operations, separators=(",", ":")))
    name = _word(route.virtual_service)
    return f"{_kubectl(route, context)} patch virtualservice {name} --type=json -p {patch}"


def kubectl_look(route: Route, *, context: str | None = None) -> str:
    """The line that shows the object as it stands."""
    return f"{_kubectl(route, context)} get virtualservice {_word(route.virtual_service)} -o yaml"


def way_back(view: RunView, route: Route) -> str:
    """`kubectl_back` to the safe split of *view*, from what its run recorded about the object."""
    written = view.written.get(f"{route.namespace}/{route.virtual_service}", {})
    index, destinations = written.get("http"), written.get("destinations")
    named = route.http if isinstance(route.http, int) else 0
    context = view.target.get("context")
    return kubectl_back(
        route,
        view.safe.get(route.name) or canary_split(route.stable, route.canary, 0),
        http=index if isinstance(index, int) else named,
        destinations=destinations if isinstance(destinations, list) else (),
        context=str(context) if context else None,
    )


def _word(text: str) -> str:
    """One word to a shell, and nothing to the terminal that it is read on."""
    return shlex.quote(escape(text))


def _kubectl(route: Route, context: str | None) -> str:
    chosen = f" --context {_word(context)}" if context else ""
    return f"kubectl{chosen} -n {_word(route.namespace)}"


def _subset(destination: Mapping[str, Any]) -> str:
    return str(destination.get("destination", {}).get("subset", ""))


def _weights(destinations: Sequence[Mapping[str, Any]], split: Split, http: int) -> list[dict[str, object]]:
    """`add` sets a member whether or not it is there (RFC 6902, 4.1)."""
    return [
        {"op": "add", "path": f"/spec/http/{http}/route/{n}/weight", "value": split[_subset(item)]}
        for n, item in enumerate(destinations)
    ]


def _anew(route: Route, split: Split) -> list[dict[str, object]]:
    host = route.host or route.virtual_service
    return [{"destination": {"host": host, "subset": subset}, "weight": split[subset]} for subset in split]
