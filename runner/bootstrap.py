"""The composition root: the only place that builds adapters and worlds."""

import getpass
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.model.config import Config
from runner.model.playbook import Playbook
from runner.model.scenario import Scenario
from runner.model.stages import KubeObject, Verify
from runner.ports import Clock, Cluster, Ending, Lease, Listener, Metrics, ObjectRef, Permission

if TYPE_CHECKING:
    from runner.adapters.api_server import ApiServer
    from runner.adapters.kubeconfig import Choice
    from runner.rehearsal import Open
    from runner.rehearsal import Place as RehearsalPlace
    from runner.sandbox import World


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run takes place: its ports, what people are told of it, and what the journal keeps of it.

    *acquire* takes the right to write to a playbook's routes; *missing* are the permissions that a run would
    need and does not have, *endings* the credentials that say when they end. *notes* are what the place takes
    for granted, *doubts* what cannot work in it. Where it knows: *failures* counts (failed, all) requests between
    two times, *served* says the percent of each route's traffic by subset.
    """

    cluster: Cluster
    metrics: Metrics
    clock: Clock
    lease: Lease
    acquire: Callable[[Playbook], None]
    missing: Callable[[Sequence[Permission]], Sequence[Permission]]
    target: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    failures: Callable[[float, float], tuple[int, int]] | None = None
    served: Callable[[float, float], Mapping[str, Mapping[str, float]]] | None = None
    endings: Callable[[], Sequence[Ending]] = tuple


@dataclass(frozen=True, slots=True)
class Reach:
    """How the command line says that a cluster and its metrics are reached, for which playbook file."""

    kubeconfig: str | None = None
    context: str | None = None
    prometheus: str | None = None
    playbook: str | None = None


def who() -> str:
    """The person or machine that gives orders: user@host."""
    host = os.uname().nodename
    try:
        return f"{getpass.getuser()}@{host}"
    except (OSError, KeyError):
        return f"uid {os.getuid()}@{host}"


def new_run() -> str:
    """A fresh run id, short enough to be typed."""
    return secrets.token_hex(3)


def operators_config() -> Config:
    """The operator's Config of this machine."""
    from runner.document.config import load_config

    return load_config()


def on_cluster(reach: Reach, playbook: Playbook, run: str, clock: Clock, say: Callable[[str], None]) -> Place:
    """The real cluster that *reach* means. RunnerError when nothing, or another context, is meant."""
    from runner.adapters.access import ClusterAccess
    from runner.adapters.api_server import ApiServer
    from runner.adapters.kubeconfig import connect
    from runner.adapters.kubernetes import KubernetesCluster
    from runner.adapters.lease import ClusterLease, identity

    config = operators_config()
    connection = connect(_choice(reach, playbook.target.namespace), config)
    _guard_context(playbook, connection.context)
    server = ApiServer(connection.login)
    cluster = KubernetesCluster(server)
    named = reach.prometheus or playbook.target.prometheus
    lease = ClusterLease(cluster, clock, identity(run))
    return Place(
        cluster=cluster,
        metrics=_metrics(named, playbook, config, cluster, server, clock, say),
        clock=clock,
        lease=lease,
        acquire=lambda final: take_leases(lease, cluster, final),
        missing=ClusterAccess(server).missing,
        target={
            "sandbox": False,
            "context": connection.context,
            "server": connection.server,
            "user": connection.user,
            "namespace": playbook.target.namespace,
            "kubeconfig": reach.kubeconfig,
            "prometheus": named,
        },
        endings=lambda: _endings(server, named, config),
    )


def _endings(server: "ApiServer", named: str | None, config: Config) -> list[Ending]:
    """When the credentials of the cluster and of the metrics source end, where they say so."""
    from runner.adapters.metrics_source import ending_at, source_named

    found = [server.ending(), ending_at(source_named(named, config)) if named else None]
    return [ending for ending in found if ending is not None]


def for_reading(reach: Reach, namespace: str | None) -> tuple[Cluster, str]:
    """A cluster that is only read, and the namespace that is meant. RunnerError when none is."""
    from runner.adapters.api_server import ApiServer
    from runner.adapters.kubeconfig import connect
    from runner.adapters.kubernetes import KubernetesCluster

    connection = connect(_choice(reach, namespace), operators_config())
    return KubernetesCluster(ApiServer(connection.login)), connection.namespace


def _choice(reach: Reach, namespace: str | None) -> "Choice":
    from runner.adapters.kubeconfig import Choice
    from runner.document.places import repository

    root = repository(reach.playbook, None).root if reach.playbook else None
    return Choice(reach.kubeconfig, reach.context, namespace, root)


def _guard_context(playbook: Playbook, context: str) -> None:
    """The playbook's context is a guard and never a choice."""
    wanted = playbook.target.context
    if wanted is not None and wanted != context:
        raise RunnerError(
            f"the playbook is for context {wanted!r}, this would be {context!r}",
            hint=f"say `--context {wanted}`, or play it in the sandbox: `--sandbox`",
        )


def _metrics(
    named: str | None,
    playbook: Playbook,
    config: Config,
    cluster: Cluster,
    server: "ApiServer",
    clock: Clock,
    say: Callable[[str], None],
) -> Metrics:
    from runner.adapters.metrics_source import Surroundings, source_named, way_to
    from runner.adapters.prometheus import Prometheus

    if named is None:
        return NoMetrics()
    source = source_named(named, config)
    around = Surroundings(cluster, server, playbook.target.namespace, say)
    return Prometheus(way_to(source, around), clock)


class NoMetrics:
    """A playbook without a metrics source: no question has an answer."""

    def query(self, expression: str, at: float) -> Any:
        """Never evidence."""
        from runner.model.evidence import NoAnswer

        del expression, at
        return NoAnswer("no Prometheus was named: write `target: {prometheus: ...}` or say --prometheus")


def take_leases(lease: Any, cluster: Cluster, playbook: Playbook) -> None:
    """The leases of all routes, with an epoch above any that their objects carry."""
    from runner.adapters.lease import Target
    from runner.routers.marker import marker_of
    from runner.stages.shift import live

    targets = [Target(route.namespace, route.virtual_service) for route in playbook.routes]
    if not targets:
        return
    found = [live(cluster, route) for route in playbook.routes]
    markers = [marker for item in found if item is not None and (marker := marker_of(item)) is not None]
    lease.acquire(targets, above=max((marker.epoch for marker in markers), default=0))


def holders(cluster: Cluster, routes: Sequence[tuple[str, str]], run: str) -> tuple[str, ...]:
    """Who of *run* holds, or held until its death, the leases of VirtualServices named by namespace and name."""
    from runner.adapters.lease import Target, held_by

    names = (held_by(cluster, Target(namespace, name)) for namespace, name in routes)
    return tuple(dict.fromkeys(name for name in names if name.startswith(f"{run}@")))


def is_renewed(cluster: Cluster, now: float, routes: Sequence[tuple[str, str]], run: str) -> bool:
    """Whether a process of *run* was alive a minute ago, by the leases of VirtualServices (see `adapters.lease`)."""
    from runner.adapters.lease import Target, is_renewed

    return any(is_renewed(cluster, Target(namespace, name), f"{run}@", now) for namespace, name in routes)


def break_leases(cluster: Cluster, clock: Clock, routes: Sequence[tuple[str, str]], run: str) -> None:
    """Free the leases that a dead process of *run* holds. LockedError where one is renewed while it is watched."""
    from runner.adapters.lease import Target, break_dead

    for namespace, name in routes:
        break_dead(cluster, clock, Target(namespace, name), f"{run}@")


def real_clock() -> Clock:
    """The machine's time."""
    from runner.adapters.clock import SystemClock

    return SystemClock()


def in_sandbox(
    playbook: Playbook, scenario: Scenario | None, log: Path, *, start: float, seed: int, speed: float | None
) -> Place:
    """A fresh world of its own, whose effects are kept in *log*."""
    from time import sleep  # noqa: TID251 - to let people watch; virtual time itself never sleeps

    from runner.sandbox import open_world

    world = open_world(playbook, scenario, seed=seed, start=start, path=log, speed=speed, sleep=sleep)
    return _sandboxed(world, playbook)


def sandbox_to_read(playbook: Playbook, scenario: Scenario | None, *, seed: int) -> Place:
    """A world as it is before a run, in memory; it begins at the moment at which rehearsals do."""
    from runner.rehearsal import REHEARSED_AT
    from runner.sandbox import open_world

    return _sandboxed(open_world(playbook, scenario, seed=seed, start=REHEARSED_AT), playbook)


def back_in_sandbox(log: Path, playbook: Playbook, *, at: float, speed: float | None) -> Place:
    """The world that *log* kept, at the time where the run left it."""
    from time import sleep  # noqa: TID251 - to let people watch; virtual time itself never sleeps

    from runner.sandbox import World

    return _sandboxed(World.open(log, now=at, speed=speed, sleep=sleep), playbook)


def _sandboxed(world: "World", playbook: Playbook) -> Place:
    from runner.adapters.lease import LocalLease

    return Place(
        cluster=world.cluster,
        metrics=world.metrics,
        clock=world.clock,
        lease=LocalLease(),
        acquire=lambda _: None,
        missing=lambda _: (),
        target={"sandbox": True, "namespace": playbook.target.namespace},
        notes=tuple(world.assumptions),
        doubts=tuple(_unanswerable(world, playbook)),
        listeners=(world,),
        failures=lambda since, until: _failures_of_canaries(world, since, until),
        served=lambda since, until: _served(world, since, until),
    )


def _unanswerable(world: "World", playbook: Playbook) -> Iterator[str]:
    """Metrics that a gate asks for and nothing in this world gives: such a gate can only run out of patience."""
    from runner.promql import unknown_metrics

    produced = world.produced()
    used = [guard.check for guard in playbook.guards]
    used += [
        check for stage in playbook.stages if isinstance(stage.kind, Verify) for check in stage.kind.checks
    ]
    for check in dict.fromkeys(used):
        for name in unknown_metrics((query.text for query in check.queries.values()), produced):
            yield f"{check.name} asks for {name}, which nothing here gives; a --scenario with given: series: can"


def rehearsing(seed: int) -> "Open":
    """Makes the worlds of rehearsals: in memory, in virtual time, each from the same moment on."""
    from runner.adapters.lease import LocalLease
    from runner.rehearsal import REHEARSED_AT
    from runner.rehearsal import Place as RehearsalPlace
    from runner.sandbox import open_world

    def open_place(playbook: Playbook, scenario: Scenario) -> "RehearsalPlace":
        world = open_world(playbook, scenario, seed=seed, start=REHEARSED_AT)
        return RehearsalPlace(
            cluster=world.cluster,
            metrics=world.metrics,
            clock=world.clock,
            lease=LocalLease(),
            witness=lambda ref: _seen(world, ref),
            listeners=(world,),
            assumptions=world.assumptions,
            produced=world.produced(),
            failures=lambda since, until: _failures(world, since, until),
        )

    return open_place


def _seen(world: "World", ref: ObjectRef) -> KubeObject | None:
    """The object itself, whatever goes wrong with the API server."""
    from runner.sandbox.kinds import Key

    world.present()
    group = ref.api_version.rpartition("/")[0]
    return world.registry.find(Key(group, ref.kind, ref.namespace, ref.name))


def _served(world: "World", since: float, until: float) -> dict[str, dict[str, float]]:
    """Percent of each route's traffic by subset, between two times."""
    shares = {}
    for route, subsets in world.tally(since, until).routes.items():
        total = sum(count.requests for count in subsets.values())
        if total:
            shares[route] = {name: 100 * count.requests / total for name, count in subsets.items()}
    return shares


def _failures(world: "World", since: float, until: float) -> tuple[int, int]:
    """Failed requests and all, of every route."""
    total = world.tally(since, until).total
    return total.failed, total.requests


def _failures_of_canaries(world: "World", since: float, until: float) -> tuple[int, int]:
    """Failed requests and all, from the first of each route's canary on."""
    counts = world.tally(since, until).since_canary.values()
    return sum(count.failed for count in counts), sum(count.requests for count in counts)
