"""The steps that take a run back: what was scaled down up again, the traffic, then what was scaled up."""

from collections.abc import Mapping

from runner.engine.program import Await, Change, ObjectsReady, SetReplicas, SetSplit, Step, SubsetsReady
from runner.engine.state import RunState, Scaled
from runner.model.split import Split

READY_TIMEOUT = 300.0


def routes_back(state: RunState, *, promoted: bool = False) -> dict[str, Split]:
    """The safe split of every moved route that is not at it, last moved first."""
    moved = sorted(state.routes.items(), key=lambda item: -item[1].moved)
    return {
        name: route.safe
        for name, route in moved
        if route.moved
        and route.safe is not None
        and route.split != route.safe
        and (promoted or not route.promoted)
    }


def rollback_steps(state: RunState, to: Mapping[str, Split]) -> tuple[Step, ...]:
    """Traffic never moves to what is not ready, and capacity leaves only after the traffic has."""
    undo = _undo(state)
    up = [scaled for scaled in undo if scaled.before > scaled.after]
    down = [scaled for scaled in undo if scaled.before < scaled.after]
    return (
        *(step for scaled in up for step in (_restore(scaled), _ready(scaled))),
        *(step for name, split in to.items() for step in _give_back(state, name, split)),
        *(_restore(scaled) for scaled in down),
    )


def _undo(state: RunState) -> tuple[Scaled, ...]:
    """One entry a Deployment, newest first: from its last replicas to those before the run."""
    first: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for scaled in state.scaled:
        key = (scaled.namespace, scaled.deployment)
        first.setdefault(key, scaled.before)
        last.pop(key, None)
        last[key] = scaled.after
    return tuple(Scaled(key[1], key[0], first[key], after) for key, after in reversed(last.items()))


def _restore(scaled: Scaled) -> Change:
    effect = SetReplicas(scaled.deployment, scaled.namespace, scaled.before)
    return Change(effect, "Deployment", scaled.namespace, scaled.deployment)


def _ready(scaled: Scaled) -> Await:
    deployment = ("apps/v1", "Deployment", scaled.namespace, scaled.deployment)
    return Await(ObjectsReady((deployment,)), READY_TIMEOUT)


def _give_back(state: RunState, name: str, split: Split) -> tuple[Step, ...]:
    route = state.program.playbook.route(name)
    effect = SetSplit(name, split, back=True)
    return (
        Await(SubsetsReady(name, split, check_capacity=False), READY_TIMEOUT),
        Change(effect, "VirtualService", route.namespace, route.virtual_service),
    )
