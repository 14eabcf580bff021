"""What a run finds at a route that it has not touched."""

from dataclasses import dataclass

from runner.engine.working import half_way
from runner.errors import DisagreementError, RunnerError
from runner.model.playbook import Playbook, Route
from runner.model.split import Split
from runner.model.stages import Apply, Promote, Shift
from runner.ports import Cluster
from runner.routers import istio
from runner.routers.marker import marker_of
from runner.stages.apply import routes_of
from runner.stages.shift import live


@dataclass(frozen=True, slots=True)
class Met:
    """The live split, and the run that left it there without finishing."""

    split: Split | None
    unfinished: str | None


def meet(cluster: Cluster, route: Route, run: str) -> Met:
    """A finished run leaves its route at the split that its own marker calls safe."""
    found = live(cluster, route)
    if found is None:
        return Met(None, None)
    split, marker = istio.read(found, route), marker_of(found)
    left = marker is not None and marker.run != run and marker.safe != split
    untouched = marker is not None and marker.digest == istio.digest(found, route)
    return Met(split, marker.run if marker is not None and left and untouched else None)


def refuse_half_way(cluster: Cluster, playbook: Playbook, run: str) -> None:
    """DisagreementError where a route that *run* is going to move is in somebody's hands: then it has not begun.

    What cannot be read now is met again by the route's first stage, which waits for it or says what is wrong.
    """
    for route in _met_first(playbook):
        try:
            met = meet(cluster, route, run)
        except RunnerError:
            continue
        reason = half_way(route, met.split, met.unfinished)
        if reason is not None:
            message, _, hint = reason.partition("\n")
            raise DisagreementError(message, hint=hint)


def _met_first(playbook: Playbook) -> list[Route]:
    """The routes that are moved as they are found: no stage before applies their object."""
    applied: set[str] = set()
    found: dict[str, Route] = {}
    for stage in playbook.stages:
        match stage.kind:
            case Apply(manifests=manifests, if_absent=False):
                applied |= {route.name for item in manifests for route in routes_of(item.object, playbook)}
            case Shift(route=name) | Promote(route=name) if name not in applied:
                found.setdefault(name, playbook.route(name))
            case _:
                continue
    return list(found.values())


def stable_of(cluster: Cluster, route: Route) -> str | None:
    """The one subset that has all the traffic, where the playbook names none."""
    found = live(cluster, route)
    if found is None:
        return None
    split = istio.read(found, route)
    return next((subset for subset in split if split[subset] == 100), None)
