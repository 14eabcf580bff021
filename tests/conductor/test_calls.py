"""How often a stage asks the API server, counted on the wire."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from runner.adapters.api_server import ApiServer
from runner.adapters.kubernetes import KubernetesCluster
from runner.adapters.lease import ClusterLease, Target
from runner.adapters.login import Login
from runner.conductor import Conductor, World
from runner.document.playbook import read_playbook
from runner.engine.events import RunStarted, StageStarted
from runner.engine.state import begin
from runner.model.stages import Apply, Promote, Shift
from runner.sandbox import open_world
from runner.stages.kinds import compile_playbook
from tests.adapters.loopback import serving
from tests.fakes.api_server import Server
from tests.fakes.world import NOON, MemoryJournal, ScriptedOrders

READINESS = ["GET virtualservices", "GET services", "GET destinationrules", "GET pods"]
WRITE = ["GET virtualservices", "PUT virtualservices", "GET virtualservices"]
LEASE = "PUT leases"


@dataclass
class Calls:
    """The calls of each stage, as `METHOD plural`, in order; discovery is not counted."""

    server: Server
    by_stage: dict[str, list[str]] = field(default_factory=dict)
    counted: int = 0

    def heard(self, event, line):
        self._count(None)
        if isinstance(event, StageStarted):
            self._count(event.stage)

    def noticed(self, observation):
        pass

    def tick(self, now):
        self._count(None)

    def _count(self, following):
        new = self.server.seen[self.counted :]
        self.counted += len(new)
        if self.by_stage:
            self.by_stage[next(reversed(self.by_stage))] += [said for seen in new if (said := _said(seen))]
        if following is not None:
            self.by_stage[following] = []


def _said(seen):
    namespaced = seen.path.partition("/namespaces/bookinfo/")[2]
    return f"{seen.method} {namespaced.partition('/')[0]}" if namespaced else ""


@pytest.fixture(scope="module")
def book():
    return read_playbook("playbooks/bookinfo-canary.yaml").playbook


@pytest.fixture(scope="module")
def calls(book):
    """The shipped canary, played through HTTP in a world where all goes well."""
    world = open_world(book, None, seed=1, start=NOON)
    server = Server(world)
    calls = Calls(server)
    with serving(server.answer) as loopback:
        cluster = KubernetesCluster(ApiServer(Login(loopback.url)))
        lease = ClusterLease(cluster, world.clock, "r1@here")
        lease.acquire([Target(route.namespace, route.virtual_service) for route in book.routes])
        ports = World(
            cluster,
            world.metrics,
            world.clock,
            MemoryJournal(),
            ScriptedOrders(world.clock),
            lease,
            (world, calls),
        )
        conductor = Conductor(begin(compile_playbook("r1", book)), ports)
        conductor.record(RunStarted(NOON, {}, {}, {}, {}, "digest"))
        assert conductor.play().code == 0
    return calls.by_stage


def test_a_shift_costs_a_lease_a_read_and_a_read_back_beyond_its_write_and_its_readiness(calls, book):
    """The route is read again right before the write: what somebody changed while the pods were counted is seen."""
    moves = [stage.name for stage in book.stages if isinstance(stage.kind, Shift | Promote)]

    assert len(moves) > 2
    for name in moves:
        assert [call for call in calls[name] if call != LEASE] == READINESS + WRITE, name
        assert calls[name].count(LEASE) <= 1, name


def test_an_apply_sends_each_object_once_and_reads_nothing_first(calls, book):
    made, stage = calls["apply bookinfo"], book.stages[0].kind
    assert isinstance(stage, Apply)
    kinds = Counter(manifest.object["kind"].lower() + "s" for manifest in stage.manifests)
    writes = Counter(call.removeprefix("PATCH ") for call in made if call.startswith("PATCH"))

    assert writes == kinds
    assert all(call.startswith("PATCH") for call in made[: writes.total()])
    assert calls["apply destination rules"] == ["PATCH destinationrules"] * 4


def test_what_is_only_created_where_absent_is_asked_for_once(calls):
    made = calls["everything on v1, then open the gateway"]

    assert made.count("POST virtualservices") + made.count("POST gateways") == 6
    # One look at each of the six objects, and the read-back of the route whose split the stage sets.
    assert len(made) == 6 + 6 + 1
