"""The worlds that are derived for every check: in each one thing goes wrong, and it is put into the world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runner.model.playbook import Route
from runner.model.scenario import (
    Edit,
    Errors,
    Fault,
    Given,
    Gone,
    MergeObject,
    MetricsFault,
    MetricsTrouble,
    Scenario,
    Slowness,
    TrafficChange,
    When,
)
from runner.model.stages import KubeObject


class About(StrEnum):
    """What goes wrong in a world: the canary itself, or the way in which it is seen."""

    CANARY = "canary"
    SIGHT = "sight"


@dataclass(frozen=True, slots=True)
class World:
    """One thing that goes wrong; *title* heads its column, *tells* says it in a sentence."""

    name: str
    title: str
    tells: str
    about: About
    faults: tuple[Fault, ...]

    def scenario(self, given: Given, route: str, stage: str, subset: str = "canary") -> Scenario:
        """This world, going wrong from the start of *stage* on; no *route* or *subset* means all of them."""
        about = self.about is About.CANARY
        whens = tuple(
            When(fault, stage=stage, route=(about and route) or None, subset=(about and subset) or None)
            for fault in self.faults
        )
        return Scenario(self.name, self.tells, given, whens)


ERRORS = World("errors", "errors", "every answer of the canary is a 500", About.CANARY, (Errors(1.0),))
SLOW = World("slow", "slow", "the canary answers ten seconds late", About.CANARY, (Slowness(add=10_000.0),))

ALWAYS: tuple[World, ...] = (
    ERRORS,
    SLOW,
    World(
        "no answer",
        "no answer",
        "the canary answers nobody: every request to it times out",
        About.CANARY,
        (Errors(1.0, 504), Slowness(add=15_000.0)),
    ),
    World(
        "no traffic",
        "no traffic",
        "the mesh sends the canary nothing, whatever the weights say",
        About.CANARY,
        (TrafficChange(rate=0.0),),
    ),
    World("no pods", "no pods", "the pods of the canary are gone", About.CANARY, (Gone(),)),
    World(
        "no scrapes",
        "no scrapes",
        "Prometheus answers, but nothing is scraped any more",
        About.SIGHT,
        (MetricsFault(MetricsTrouble.STOPPED),),
    ),
    World(
        "no Prometheus",
        "no Prometheus",
        "Prometheus cannot be reached",
        About.SIGHT,
        (MetricsFault(MetricsTrouble.DOWN),),
    ),
)
"""In the order of the columns of the table of gates and faults."""


def derived(route: Route, rules: Sequence[KubeObject]) -> tuple[World, ...]:
    """The worlds for *route*; *rules* are the DestinationRules that are there when nothing is wrong."""
    edits = tuple(_swapped(route, rules))
    if not edits:
        return ALWAYS
    wrong = World(
        "wrong version",
        "wrong version",
        "the subset of the canary is the stable version",
        About.CANARY,
        edits,
    )
    return (*ALWAYS[:CANARY_WORLDS], wrong, *ALWAYS[CANARY_WORLDS:])


CANARY_WORLDS = sum(world.about is About.CANARY for world in ALWAYS)


def _swapped(route: Route, rules: Sequence[KubeObject]) -> Iterator[Edit]:
    """Edits that give the canary's subset the labels of stable's."""
    for rule in rules:
        subsets: list[Mapping[str, Any]] = rule["spec"].get("subsets") or []
        named = {subset["name"]: subset for subset in subsets}
        if route.canary in named and route.stable in named:
            labels = named[route.stable].get("labels")
            changed = [
                {**subset, "labels": labels} if subset["name"] == route.canary else subset
                for subset in subsets
            ]
            patch = {"spec": {"subsets": changed}}
            yield Edit(MergeObject("DestinationRule", rule["metadata"]["name"], patch))


SUSPECTS: tuple[World, ...] = (ERRORS, SLOW)
"""Put on the stable version, these show that a silent gate looks at the wrong one."""

HEALTHY = Scenario("healthy", "nothing goes wrong")
