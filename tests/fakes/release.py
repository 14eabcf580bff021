"""A small release, built by hand: reviews from v1 to v3 in one shift, one verify and a promotion."""

from dataclasses import replace
from typing import Any

from runner.conductor import Conductor, World
from runner.engine.actions import Stop
from runner.engine.events import RunResumed, RunStarted
from runner.engine.evolve import replay
from runner.engine.observations import Order
from runner.engine.state import begin
from runner.model.checks import Bounds, Check, Query
from runner.model.playbook import Guard, Playbook, Route, Target
from runner.model.split import canary_split
from runner.model.stages import Promote, Shift, Stage, Verify, Wait
from runner.stages.kinds import compile_playbook
from tests.fakes.world import (
    NOON,
    FakeClock,
    FakeCluster,
    FakeMetrics,
    FreeLease,
    MemoryJournal,
    ScriptedOrders,
)

NS = "bookinfo"
ERRORS = Check("errors", Query("errors", 30.0), Bounds(max=0.01))
ROUTE = Route("reviews", "reviews", NS, canary="v3", stable="v1")


def playbook(**changes: Any) -> Playbook:
    """Shift to 20, soak, verify, shift to 100, promote; guarded."""
    plain = Playbook(
        name="small",
        version="1",
        target=Target(NS),
        routes=(ROUTE,),
        guards=(Guard(replace(ERRORS, name="alarm"), "reviews", every=10.0, failure_limit=1),),
        checks=(ERRORS,),
        stages=(
            Stage("shift 80/20", Shift("reviews", canary_split("v1", "v3", 20))),
            Stage("soak", Wait(120.0)),
            Stage("verify at 20", Verify((ERRORS,), every=15.0, count=3)),
            Stage("shift 0/100", Shift("reviews", canary_split("v1", "v3", 100))),
            Stage("promote", Promote("reviews")),
        ),
    )
    return replace(plain, **changes)


def virtual_service(*weights: tuple[str, int]) -> dict[str, Any]:
    """A VirtualService of reviews with these weights, all on v1 without any."""
    route = [
        {"destination": {"host": "reviews", "subset": subset}, "weight": weight} for subset, weight in weights
    ] or [{"destination": {"host": "reviews", "subset": "v1"}}]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": NS},
        "spec": {"hosts": ["reviews"], "http": [{"route": route, "timeout": "3s"}]},
    }


def pod(version: str, *, ready: bool = True) -> dict[str, Any]:
    """One pod of a version."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"reviews-{version}",
            "namespace": NS,
            "labels": {"app": "reviews", "version": version},
        },
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def cluster(*weights: tuple[str, int]) -> FakeCluster:
    """Bookinfo's reviews as far as a shift looks at it."""
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2", "v3")]
    return FakeCluster(
        virtual_service(*weights),
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": "reviews", "namespace": NS},
            "spec": {"host": "reviews", "subsets": subsets},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "reviews", "namespace": NS},
            "spec": {"selector": {"app": "reviews"}},
        },
        *(pod(version) for version in ("v1", "v2", "v3")),
    )


def deployment(name: str, replicas: int) -> dict[str, Any]:
    """A Deployment of so many replicas, whose controller has yet to see it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NS, "generation": 1},
        "spec": {"replicas": replicas},
    }


def reconcile(at: FakeCluster) -> None:
    """A Deployment controller that is never behind."""
    for found in [found for key, found in at._objects.items() if key[0] == "Deployment"]:
        count = found["spec"]["replicas"]
        ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
        found["status"] = {"observedGeneration": 1, **ready}


class Play:
    """One play of a playbook in a world of fakes; `again` resumes from what the journal kept."""

    def __init__(
        self,
        book: Playbook | None = None,
        *,
        at: FakeCluster | None = None,
        answer: Any = lambda *_: 0.0,
        script: tuple[Any, ...] = (),
        **session: Any,
    ) -> None:
        self.book = book or playbook()
        self.cluster = at or cluster()
        self.clock = FakeClock()
        self.metrics = FakeMetrics(answer)
        self.journal = MemoryJournal()
        self.lease = FreeLease()
        self.listeners: tuple[Any, ...] = ()
        self.orders = ScriptedOrders(self.clock, *((NOON + after, word) for after, word in script))
        self.session = session

    def conductor(self) -> Conductor:
        """A fresh process: its state is what the journal says."""
        program = compile_playbook("r1", self.book)
        world = World(
            self.cluster, self.metrics, self.clock, self.journal, self.orders, self.lease, self.listeners
        )
        return Conductor(replay(begin(program, **self.session), self.journal.events), world)

    def start(self) -> Stop:
        """From the beginning to where the run stands still."""
        conductor = self.conductor()
        conductor.record(RunStarted(self.clock.now(), {}, {}, {}, {}, "digest"))
        return conductor.play()

    def again(self, *orders: Order) -> Stop:
        """A later process goes on where the journal ends, with *orders* that it was given."""
        conductor = self.conductor()
        conductor.record(RunResumed(self.clock.now()))
        for order in orders:
            conductor.notice(order)
        return conductor.play()

    @property
    def names(self) -> list[str]:
        """Events as `name` or `name stage`."""
        from runner.engine.events import EVENT_NAMES

        return [EVENT_NAMES[type(event)] for event in self.journal.events]

    @property
    def last(self) -> Any:
        return self.journal.events[-1]
