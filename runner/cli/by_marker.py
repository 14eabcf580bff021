"""Going back without a state file: the marker on the object says where safety lies."""

import shlex
import sys
from dataclasses import replace
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place, Reach
from runner.cli.recording import recorded_playbook
from runner.engine.program import SubsetsReady
from runner.errors import ExitCode, RollbackUnverifiedError, RunnerError, UsageError
from runner.journal import Record
from runner.model.playbook import Playbook, Route, Target
from runner.model.split import Split
from runner.ports import Cluster
from runner.reports.wording import one_line
from runner.routers import istio
from runner.routers.marker import Marker, marker_of, with_marker
from runner.stages.readiness import look
from runner.stages.shift import live


def go_back_by_marker(given: dict[str, Any]) -> int:
    """Read the safe split from the marker, write it conditionally, read it back; the exit code."""
    route = Route(given["route"], given["route"], given["namespace"], canary="", stable="")
    playbook = Playbook("rollback", "0", Target(route.namespace), (route,), (), ())
    reach = Reach(given["kubeconfig"], given["context"], given["prometheus"])
    said = lambda text: click.echo(text, err=True)  # noqa: E731 - one line, used once
    place = bootstrap.on_cluster(reach, playbook, "rollback", bootstrap.real_clock(), said)
    marker, split = _found(place.cluster, route)
    safe = marker.safe
    if safe is None:
        raise RunnerError(f"the marker of run {marker.run} names no safe split", hint="shift by kubectl")
    click.echo(f"{route.name} is at {split}; run {marker.run} calls {safe} safe", err=True)
    if not given["yes"] and not sys.stdin.isatty():
        raise UsageError(
            "confirmation is needed, but stdin is no terminal", hint="pass -y to go back without asking"
        )
    if not given["yes"] and not click.confirm(f"Take it to {safe}?", err=True):
        raise UsageError("not rolled back", hint="nothing was touched")
    canary = next((subset for subset in split if not safe[subset]), "")
    known = Route(route.name, route.virtual_service, route.namespace, canary=canary, stable=next(iter(safe)))
    return go_back_to(place.cluster, known, marker, safe, output=given["output"])


def _found(cluster: Cluster, route: Route) -> tuple[Marker, Split]:
    found = live(cluster, route)
    if found is None:
        raise RunnerError(f"VirtualService {route.namespace}/{route.name} does not exist")
    marker = marker_of(found)
    if marker is None:
        raise RunnerError(
            f"VirtualService {route.namespace}/{route.name} carries no marker of a run",
            hint="no run has moved it, or somebody replaced it: `kubectl edit` is the way back",
        )
    return marker, istio.read(found, route)


def _refuse_unready(cluster: Cluster, route: Route, safe: Split) -> None:
    """Traffic goes only where somebody answers it; what a run has scaled down only its state file knows."""
    playbook = Playbook("rollback", "0", Target(route.namespace), (route,), (), ())
    seen = look(SubsetsReady(route.name, safe, check_capacity=False), playbook, cluster, {})
    if not seen.ready:
        raise RollbackUnverifiedError(
            f"{route.name} was not touched, since it cannot go to {safe}: {one_line(seen.reason)}",
            hint=f"bring its pods back (kubectl -n {shlex.quote(route.namespace)} scale deployment NAME --replicas N),"
            " then again",
        )


def take_over(place: Place, record: Record, *, output: str = "text") -> int:
    """Wait out the lease of a process that does not answer, and take back every route that its run has moved.

    LockedError where it still renews its lease. Its state file stays as it is; the epoch on the objects keeps it
    from writing when it wakes up.
    """
    playbook = recorded_playbook(record)
    place.acquire(playbook)
    try:
        for route in playbook.routes:
            found = live(place.cluster, route)
            marker = marker_of(found) if found is not None else None
            if marker is not None and marker.run == record.run and marker.safe is not None:
                mine = replace(marker, epoch=place.lease.epoch)
                go_back_to(place.cluster, route, mine, marker.safe, output=output)
    finally:
        place.lease.release()
    return int(ExitCode.OK)


def go_back_to(cluster: Cluster, route: Route, marker: Marker, safe: Split, *, output: str = "text") -> int:
    """Write *safe* to the route's object, read it back, and say so, where no *output* of events is spoilt by it.

    RollbackUnverifiedError where a subset of *safe* could not take the traffic, or the object does not have it.
    """
    found = live(cluster, route)
    if found is None:
        raise RunnerError(f"VirtualService {route.namespace}/{route.name} does not exist")
    _refuse_unready(cluster, route, safe)
    weighted = istio.write(found, route, safe)
    digest = istio.digest(weighted, route)
    cluster.replace(with_marker(weighted, Marker(marker.run, "rollback", marker.epoch, safe, digest)))
    back = live(cluster, route)
    split = istio.read(back, route) if back is not None else None
    if split != safe:
        raise RollbackUnverifiedError(f"{route.name} was written, but reading it back shows {split}")
    click.echo(f"{route.name} is at {safe}, read back", err=output == "jsonl")
    return int(ExitCode.OK)
