"""The worlds that are derived for every check: in each one thing goes wrong, and it is put into the world."""

from dataclasses import dataclass
from enum import StrEnum

from runner.model.scenario import (
    Errors,
    Fault,
    Given,
    Gone,
    MetricsFault,
    MetricsTrouble,
    Scenario,
    Slowness,
    TrafficChange,
    When,
)


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
        """This world, going wrong from the start of *stage* on."""
        of = subset if self.about is About.CANARY else None
        whens = tuple(
            When(fault, stage=stage, route=route if of else None, subset=of) for fault in self.faults
        )
        return Scenario(self.name, self.tells, given, whens)


ERRORS = World("errors", "errors", "every answer of the canary is a 500", About.CANARY, (Errors(1.0),))
SLOW = World("slow", "slow", "the canary answers ten seconds late", About.CANARY, (Slowness(add=10_000.0),))

DERIVED: tuple[World, ...] = (
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

SUSPECTS: tuple[World, ...] = (ERRORS, SLOW)
"""Put on the stable version, these show that a silent gate looks at the wrong one."""

HEALTHY = Scenario("healthy", "nothing goes wrong")
