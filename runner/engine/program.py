"""A playbook compiled to steps that the engine understands without knowing stage kinds.

`runner.stages` makes it: every kind says which steps it consists of, so the engine never changes for a new kind.
"""

from dataclasses import dataclass

from runner.model.checks import Check
from runner.model.playbook import Playbook
from runner.model.split import Split
from runner.model.stages import Manifest, OnInconclusive, OnTimeout


@dataclass(frozen=True, slots=True)
class ApplyObject:
    """Server-side apply of one manifest, or only its creation where *if_absent*."""

    manifest: Manifest
    namespace: str
    if_absent: bool = False
    take_over: str | None = None


@dataclass(frozen=True, slots=True)
class SetSplit:
    """The whole split of one route; *promote* makes it the new safe one, *back* is a rollback's."""

    route: str
    split: Split
    promote: bool = False
    back: bool = False


@dataclass(frozen=True, slots=True)
class SetReplicas:
    """The replicas of a Deployment: a number, or as many as *like* has.

    *spare* takes pods away that a run had added: where the Deployment is gone, so are they.
    """

    deployment: str
    namespace: str
    replicas: int | None
    like: str | None = None
    spare: bool = False


Effect = ApplyObject | SetSplit | SetReplicas


@dataclass(frozen=True, slots=True)
class ObjectsReady:
    """All these objects, each (apiVersion, kind, namespace, name), report that they are ready."""

    objects: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SubsetsReady:
    """Every subset that *split* gives traffic is defined and has ready endpoints, enough of them for its share."""

    route: str
    split: Split
    check_capacity: bool = True


Condition = ObjectsReady | SubsetsReady


@dataclass(frozen=True, slots=True)
class Change:
    """One effect, written once and read back."""

    effect: Effect
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Await:
    """A condition that must come true within *timeout* seconds."""

    condition: Condition
    timeout: float


@dataclass(frozen=True, slots=True)
class Elapse:
    """Time that passes while the guards watch."""

    duration: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Each check's *count* conclusive measurements, one per *every* seconds."""

    checks: tuple[Check, ...]
    every: float
    count: int
    failure_limit: int
    patience: float
    on_inconclusive: OnInconclusive


@dataclass(frozen=True, slots=True)
class Gate:
    """A person's word, within *timeout* seconds."""

    message: str
    timeout: float
    on_timeout: OnTimeout


Step = Change | Await | Elapse | Judge | Gate


@dataclass(frozen=True, slots=True)
class ProgramStage:
    """One stage as steps; *moves* is the route that its first step may move, *promotes* the one it promotes."""

    name: str
    kind: str
    steps: tuple[Step, ...]
    moves: str | None = None
    promotes: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """What the engine runs."""

    run: str
    playbook: Playbook
    stages: tuple[ProgramStage, ...]
    rollback: tuple[ProgramStage, ...] = ()
