"""One frozen class per stage kind, and the closed union of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runner.model.checks import Check
from runner.model.split import Split

KubeObject = Mapping[str, Any]
"""One Kubernetes object as plain JSON."""


class OnInconclusive(StrEnum):
    """What happens when patience without evidence has run out."""

    ROLLBACK = "rollback"
    PAUSE = "pause"


class OnTimeout(StrEnum):
    """What an unanswered gate leads to."""

    ROLLBACK = "rollback"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One Kubernetes object and the file, relative to the playbook, that it came from."""

    file: str
    object: KubeObject


@dataclass(frozen=True, slots=True)
class Apply:
    """Server-side apply of manifests, in order; *ready* is None where nothing is waited for."""

    manifests: tuple[Manifest, ...]
    if_absent: bool = False
    take_over: str | None = None
    ready: float | None = 300.0


@dataclass(frozen=True, slots=True)
class Shift:
    """Sets the whole split of one route, once its subsets are ready."""

    route: str
    split: Split
    ready: float = 120.0
    ignore_capacity: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Lets time pass while the guards watch."""

    duration: float


@dataclass(frozen=True, slots=True)
class Verify:
    """Takes *count* conclusive measurements of each check, one per *every*; *within* is their span, if given."""

    checks: tuple[Check, ...]
    every: float = 30.0
    count: int = 5
    failure_limit: int = 0
    patience: float = 300.0
    on_inconclusive: OnInconclusive = OnInconclusive.ROLLBACK


@dataclass(frozen=True, slots=True)
class Scale:
    """Sets the replicas of a Deployment, to a number or like another Deployment's."""

    deployment: str
    replicas: int | None = None
    like: str | None = None
    ready: float = 300.0


@dataclass(frozen=True, slots=True)
class Approve:
    """A gate that a person answers."""

    message: str
    timeout: float = 3600.0
    on_timeout: OnTimeout = OnTimeout.ROLLBACK


@dataclass(frozen=True, slots=True)
class Promote:
    """Makes the canary the new stable; from here the way back is a command."""

    route: str
    ready: float = 120.0


Kind = Apply | Shift | Wait | Verify | Scale | Approve | Promote


@dataclass(frozen=True, slots=True)
class Stage:
    """One ordered item of a playbook: a unique name and exactly one kind."""

    name: str
    kind: Kind
