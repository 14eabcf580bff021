"""The steps that take a run back: what was scaled down up again, the traffic, then what was scaled up."""

from collections.abc import Mapping

from runner.engine.events import EffectIntended
from runner.engine.program import Await, Change, ObjectsReady, SetReplicas, SetSplit, Step, SubsetsReady
from runner.engine.state import RunState, Scaled
from runner.model.playbook import Route
from runner.model.split import Split, canary_split, split_of

READY_TIMEOUT = 300.0


def routes_back(state: RunState, *, promoted: bool = False) -> dict[str, Split]:
    """The safe split of every route that this run has moved, or may have moved, last moved first."""
    moved = sorted(state.routes.items(), key=lambda item: -item[1].moved)
    known = {
        name: route.safe
        for name, route in moved
        if route.moved
        and route.safe is not None
        and route.split != route.safe
        and (promoted or not route.promoted)
    }
    return {**_unknown_moves(state), **known}


def _unknown_moves(state: RunState) -> dict[str, Split]:
    """A write whose outcome nobody knows may have happened: its route goes back too."""
    back: dict[str, Split] = {}
    for pending in state.unknown:
        for route in state.program.playbook.routes:
            if pending.ref.weighs(route):
                back.setdefault(route.name, _safe_before(state, route, pending))
    return back


def _safe_before(state: RunState, route: Route, pending: EffectIntended) -> Split:
    """The newest split before *pending* in which the canary had nothing."""
    found = pending.found or {}
    weights = found.get("split") or (found.get("splits") or {}).get(route.name)
    before = split_of(weights) if weights else None
    for split in (before, state.routes[route.name].safe):
        if split is not None and not split[route.canary]:
            return split
    return canary_split(route.stable, route.canary, 0)


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
    for scaled in (*state.scaled, *_unknown_scaling(state)):
        key = (scaled.namespace, scaled.deployment)
        first.setdefault(key, scaled.before)
        last.pop(key, None)
        last[key] = scaled.after
    return tuple(Scaled(key[1], key[0], first[key], after) for key, after in reversed(last.items()))


def _unknown_scaling(state: RunState) -> tuple[Scaled, ...]:
    """A Deployment may have been scaled by a write whose outcome nobody knows."""
    return tuple(
        Scaled(
            pending.ref.name,
            pending.ref.namespace,
            int(pending.found["replicas"]),
            int(pending.want["replicas"]),
        )
        for pending in state.unknown
        if pending.found and "replicas" in pending.want
    )


def _restore(scaled: Scaled) -> Change:
    spare = scaled.before < scaled.after
    effect = SetReplicas(scaled.deployment, scaled.namespace, scaled.before, spare=spare)
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
