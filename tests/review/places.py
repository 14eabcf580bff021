"""Worlds to plan for, and what is planned in them."""

from pathlib import Path
from typing import Any

from runner.document import read_playbook
from runner.model.scenario import Scenario
from runner.ports import ObjectRef
from runner.rehearsal.place import Place
from runner.rehearsal.playing import play
from runner.reports.terminal import Terminal
from runner.review.plan import Guess, Plan, Site, make_plan
from runner.review.plan_document import as_document
from runner.review.plan_text import render_text
from runner.sandbox import World, open_world
from tests.contract.benches import OtherHands
from tests.fakes.world import NOON, FakeMetrics, FreeLease

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
PLAY = "runner play playbooks/bookinfo-canary.yaml"
REVIEWS = ObjectRef("apps/v1", "Deployment", "bookinfo", "reviews-v3")
TARGET = {"sandbox": True, "namespace": "bookinfo"}
ASKED = {
    "file": "/p.yaml",
    "variables": {},
    "variableFiles": [],
    "namespace": None,
    "root": None,
    "allowSecrets": False,
    "sandbox": True,
    "scenario": None,
    "seed": 1,
    "kubeconfig": None,
    "context": None,
    "prometheus": None,
    "fromHere": False,
}


def bookinfo(**variables: str) -> Any:
    """The playbook that ships."""
    return read_playbook(str(ROOT / "playbooks/bookinfo-canary.yaml"), variables=variables).playbook


def world_of(playbook: Any, scenario: Scenario | None = None) -> World:
    """A fresh world for *playbook*."""
    return open_world(playbook, scenario, seed=1, start=NOON)


def planned(playbook: Any, world: World, *, said: dict[str, float] | None = None, **more: Any) -> Plan:
    """The plan of *playbook* in *world* as it is now."""
    site = Site(world.cluster, world.metrics, world.clock.now(), TARGET, assumptions=tuple(world.assumptions))
    return make_plan(playbook, site, Guess(said or {}), **more)


def planned_at(playbook: Any, cluster: Any, *, missing: tuple[Any, ...] = (), **more: Any) -> Plan:
    """The plan of *playbook* on a cluster without a Prometheus."""
    metrics = FakeMetrics(lambda *_: "nobody answers")
    return make_plan(playbook, Site(cluster, metrics, NOON, TARGET, missing), Guess({}), **more)


def played(playbook: Any, world: World) -> Any:
    """*playbook* played in *world* itself."""
    place = Place(world.cluster, world.metrics, world.clock, FreeLease(), world.cluster.get, (world,))
    return play(playbook, Scenario("as it is", ""), lambda *_: place)


def versions(world: World) -> dict[Any, str]:
    """Every object of *world* with its resourceVersion."""
    return {
        key: stored.body["metadata"]["resourceVersion"] for key, stored in world.registry._objects.items()
    }


def text(plan: Plan) -> str:
    """The plan as a terminal shows it."""
    return render_text(plan, Terminal(), play=PLAY)


def empty() -> Plan:
    """Bookinfo's canary before anything is there."""
    return planned(bookinfo(), world_of(bookinfo()))


def second() -> Plan:
    """The release that follows Bookinfo's canary."""
    world = world_of(bookinfo())
    played(bookinfo(), world)
    return planned(read_playbook(str(CASES.parent / "second/release.yaml")).playbook, world)


def refused() -> Plan:
    """Bookinfo's canary once more, where somebody has scaled a Deployment with kubectl in the meantime."""
    world = world_of(bookinfo())
    played(bookinfo(), world)
    found = world.cluster.get(REVIEWS)
    OtherHands(world, "kubectl-edit").replace({**found, "spec": {**found["spec"], "replicas": 2}})
    return planned(bookinfo(), world)


def document_of(plan: Plan) -> dict[str, Any]:
    """The plan as `--out` keeps it."""
    return as_document(plan, ASKED, "digest")
