"""The first act of whoever takes a run over: its epoch on the object, before anything is decided.

The write changes no weight, but it changes the resourceVersion, so that a write which the process before is
still sending can no longer succeed.
"""

from dataclasses import replace

from runner.model.playbook import Playbook
from runner.ports import Cluster
from runner.routers.marker import marker_of, with_marker
from runner.stages.shift import live


def seal(cluster: Cluster, playbook: Playbook, run: str, epoch: int) -> None:
    """Write *epoch* into the marker of every route that *run* has moved. ConflictError where somebody writes now."""
    for route in playbook.routes:
        found = live(cluster, route)
        marker = marker_of(found) if found is not None else None
        if found is not None and marker is not None and marker.run == run and marker.epoch < epoch:
            cluster.replace(with_marker(found, replace(marker, epoch=epoch)))
