"""Going back without a state file: the marker on the object says where safety lies."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli.consent import consent
from runner.cli.recording import recorded_playbook
from runner.cli.states import reach_of
from runner.engine.evolve import BACKOFF_CAP
from runner.engine.program import SubsetsReady
from runner.errors import (
    ConflictError,
    ExitCode,
    LockedError,
    RollbackUnverifiedError,
    RunnerError,
    TransientError,
)
from runner.journal import Record
from runner.model.playbook import API_PATIENCE, Playbook, Route, Target
from runner.model.split import Split
from runner.ports import Clock, Cluster
from runner.reports.wording import one_line
from runner.routers import istio
from runner.routers.marker import Marker, marker_of, with_marker
from runner.stages.readiness import look
from runner.stages.shift import live

T = TypeVar("T")


def go_back_by_marker(given: dict[str, Any]) -> int:
    """Read the safe split from the marker, write it conditionally, read it back; the exit code."""
    route = Route(given["route"], given["route"], given["namespace"], canary="", stable="")
    playbook = Playbook("rollback", "0", Target(route.namespace), (route,), (), ())
    clock, say = bootstrap.real_clock(), partial(click.echo, err=True)
    place = bootstrap.on_cluster(reach_of(given), playbook, "rollback", clock, say)
    marker, split = _patiently(place.clock, lambda: _found(place.cluster, route))
    safe = marker.safe
    if safe is None:
        raise RunnerError(f"the marker of run {marker.run} names no safe split", hint="shift by kubectl")
    click.echo(f"{route.name} is at {split}; run {marker.run} calls {safe} safe", err=True)
    consent(f"Take it to {safe}?", "not rolled back", yes=given["yes"], to="go back")
    canary = next((subset for subset in split if not safe[subset]), "")
    known = Route(route.name, route.virtual_service, route.namespace, canary=canary, stable=next(iter(safe)))
    return go_back_to(place.cluster, place.clock, known, marker, safe, output=given["output"])


def _patiently(clock: Clock, ask: Callable[[], T]) -> T:
    """What *ask* says, asked again where the cluster is busy or silent, or others write in between.

    RollbackUnverifiedError where that lasts.
    """
    began, pause = clock.now(), 1.0
    while True:
        try:
            return ask()
        except (TransientError, ConflictError) as error:
            if clock.now() - began > API_PATIENCE:
                hint = "give the same command again as soon as the cluster answers; it does no harm twice"
                raise RollbackUnverifiedError(error.message, hint=hint) from error
            click.echo(f"{one_line(error.message)}; looking again in {pause:.0f} s", err=True)
        until = clock.now() + pause
        while clock.now() < until:
            clock.sleep_until(until)
        pause = min(2 * pause, BACKOFF_CAP)


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
    _patiently(place.clock, lambda: place.acquire(playbook))
    try:
        for route in playbook.routes:
            _taken_back(place, route, record.run, output)
    finally:
        place.lease.release()
    return int(ExitCode.OK)


def _taken_back(place: Place, route: Route, run: str, output: str) -> None:
    found = _patiently(place.clock, lambda: live(place.cluster, route))
    marker = marker_of(found) if found is not None else None
    if marker is not None and marker.run == run and marker.safe is not None:
        mine = replace(marker, epoch=place.lease.epoch)
        go_back_to(place.cluster, place.clock, route, mine, marker.safe, output=output)


def go_back_to(
    cluster: Cluster, clock: Clock, route: Route, marker: Marker, safe: Split, *, output: str = "text"
) -> int:
    """Write *safe* to the route's object, read it back, and say so, where no *output* of events is spoilt by it.

    RollbackUnverifiedError where a subset of *safe* could not take the traffic, or the object does not have it;
    LockedError where another run has moved it meanwhile.
    """
    try:
        _patiently(clock, lambda: _write(cluster, route, marker, safe))
    except LockedError:
        raise
    except RunnerError as error:
        raise RollbackUnverifiedError(error.message, hint=error.hint) from error
    click.echo(f"{route.name} is at {safe}, read back", err=output == "jsonl")
    return int(ExitCode.OK)


def _write(cluster: Cluster, route: Route, marker: Marker, safe: Split) -> None:
    """One try; the write of an earlier one, whose answer was lost, is found and not repeated."""
    found = live(cluster, route)
    if found is None:
        raise RunnerError(f"VirtualService {route.namespace}/{route.virtual_service} does not exist")
    _refuse_others(route, marker_of(found), marker)
    _refuse_unready(cluster, route, safe)
    weighted = istio.write(found, route, safe)
    mine = Marker(marker.run, "rollback", marker.epoch, safe, istio.digest(weighted, route))
    if istio.read(found, route) == safe and marker_of(found) == mine:
        return
    cluster.replace(with_marker(weighted, mine))
    back = live(cluster, route)
    split = istio.read(back, route) if back is not None else None
    if split != safe:
        raise RollbackUnverifiedError(f"{route.name} was written, but reading it back shows {split}")


def _refuse_others(route: Route, now: Marker | None, marker: Marker) -> None:
    if now is not None and now.run != marker.run:
        raise LockedError(
            f"run {now.run} has moved {route.name} meanwhile; run {marker.run} is no longer the one to take back",
            hint=f"`runner status {shlex.quote(now.run)}` shows it",
        )
