"""Whether a plan still holds: the playbook that it was made for, and the objects that it rests on."""

from collections.abc import Iterator, Mapping
from typing import Any

from runner.ports import Cluster, ObjectRef
from runner.review.fields import fingerprint
from runner.stages.ownership import last_editor

PLACE = ("sandbox", "server", "namespace")


def outdated(
    kept: Mapping[str, Any], digest: str, target: Mapping[str, Any], cluster: Cluster
) -> tuple[str, ...]:
    """Everything that is no longer as the plan document *kept* says, in words; nothing where it holds."""
    return (*_another_playbook(kept, digest), *_elsewhere(kept["target"], target), *_moved(kept, cluster))


def _another_playbook(kept: Mapping[str, Any], digest: str) -> Iterator[str]:
    recorded = kept["playbook"]["digest"]
    if recorded != digest:
        yield f"the playbook, its variables or its manifests changed: planned {recorded}, now {digest}"


def _elsewhere(planned: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[str]:
    for key in PLACE:
        if planned.get(key) != target.get(key):
            yield f"the {key} is another one: planned {planned.get(key)}, now {target.get(key)}"


def _moved(kept: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    """What a status says may change; what people and controllers want of an object may not."""
    for known in kept["looked"]:
        ref = ObjectRef(known["apiVersion"], known["kind"], known["namespace"], known["name"])
        found = cluster.get(ref)
        where = f"{ref} in namespace {ref.namespace}" if ref.namespace else str(ref)
        if found is None:
            if known["digest"] is not None:
                yield f"{where} is gone"
        elif known["digest"] is None:
            yield f"{where} is there by now, from {last_editor(found)}"
        elif known["uid"] != found["metadata"].get("uid"):
            yield f"{where} was deleted and made anew"
        elif known["digest"] != fingerprint(found):
            yield f"{where} was changed by {last_editor(found)}"
