"""What a run finds at a route that it has not touched."""

from dataclasses import dataclass

from runner.model.playbook import Route
from runner.model.split import Split
from runner.ports import Cluster
from runner.routers import istio
from runner.routers.marker import marker_of
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


def stable_of(cluster: Cluster, route: Route) -> str | None:
    """The one subset that has all the traffic, where the playbook names none."""
    found = live(cluster, route)
    if found is None:
        return None
    split = istio.read(found, route)
    return next((subset for subset in split if split[subset] == 100), None)
