"""One write of one object, prepared by reading, so that a run may be killed before, during or after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.engine.events import EffectIntended, Ref
from runner.engine.state import RouteState
from runner.model.playbook import Playbook
from runner.model.split import Split
from runner.model.stages import KubeObject
from runner.ports import Cluster, ObjectRef


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an effect takes place: the cluster, the run's own name for it, what the run knows.

    *pending* is the recorded intent of this very effect where its outcome is not known.
    """

    cluster: Cluster
    playbook: Playbook
    routes: Mapping[str, RouteState]
    run: str
    epoch: int
    ref: Ref
    pending: EffectIntended | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A change of a route's split that a write brings about."""

    route: str
    before: Split | None
    after: Split


@dataclass(frozen=True, slots=True)
class Write:
    """*send* writes, once; None where the object is as wanted. *proof* says what is wrong with what was read back."""

    target: ObjectRef
    want: Mapping[str, Any]
    found: Mapping[str, Any] | None
    send: Callable[[], Mapping[str, Any]] | None
    moves: tuple[Move, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    proof: Callable[[KubeObject | None], str | None] | None = None


def ref_of(found: KubeObject) -> ObjectRef:
    """Names *found*."""
    metadata = found.get("metadata", {})
    return ObjectRef(found["apiVersion"], found["kind"], metadata.get("namespace", ""), metadata["name"])
