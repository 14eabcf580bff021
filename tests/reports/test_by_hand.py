"""The way back without runner: the line, pasted, gives the safe split."""

import json
import shlex
from copy import deepcopy

import pytest

from runner.model.playbook import Route
from runner.model.split import split_of
from runner.reports.by_hand import kubectl_back, kubectl_look, way_back
from runner.routers import istio
from tests.reports.telling import view_of

ROUTE = Route("reviews", "reviews", "bookinfo", canary="v3", stable="v1")
SAFE = split_of({"v1": 100})


def patched(found, line):
    """What a server makes of the JSON Patch of *line*: add and replace, as RFC 6902 has them."""
    words = shlex.split(line)
    changed = deepcopy(found)
    for operation in json.loads(words[words.index("-p") + 1]):
        *parents, last = operation["path"].split("/")[1:]
        place = changed
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        assert operation["op"] == "add" or last in place
        place[last] = operation["value"]
    return changed


def virtual_service(*weights, before=0):
    destinations = [
        {"destination": {"host": "reviews", "subset": subset, "port": {"number": 9080}}, "weight": weight}
        for subset, weight in weights
    ]
    other = {"match": [{"uri": {"prefix": "/beta"}}], "route": [{"destination": {"host": "beta"}}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": "bookinfo"},
        "spec": {"http": [*([other] * before), {"route": destinations, "timeout": "3s"}]},
    }


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("weights", [(("v1", 80), ("v3", 20)), (("v3", 50), ("v1", 50))])
def test_patch_gives_the_safe_split_and_keeps_everything_else(weights, before):
    found = virtual_service(*weights, before=before)
    destinations = found["spec"]["http"][before]["route"]

    after = patched(found, kubectl_back(ROUTE, SAFE, http=before, destinations=destinations))

    assert istio.read(after, ROUTE) == SAFE
    assert after == istio.write(found, ROUTE, SAFE)


def test_without_a_record_the_destinations_are_written_anew():
    found = virtual_service(("v1", 80), ("v3", 20))

    after = patched(found, kubectl_back(ROUTE, SAFE))

    assert istio.read(after, ROUTE) == SAFE


def test_hostile_names_are_quoted():
    route = Route("r", "x; rm -rf /", "a b", canary="v3", stable="v1")

    line = kubectl_back(route, SAFE, context="$(boom)")

    assert shlex.split(line)[:8] == [
        "kubectl",
        "--context",
        "$(boom)",
        "-n",
        "a b",
        "patch",
        "virtualservice",
        "x; rm -rf /",
    ]
    assert shlex.split(kubectl_look(route))[-3:] == ["x; rm -rf /", "-o", "yaml"]


def test_run_tells_the_line_from_what_it_wrote():
    found = virtual_service(("v1", 80), ("v3", 20))

    after = patched(found, way_back(view_of("interrupted"), ROUTE))

    assert istio.read(after, ROUTE) == SAFE
