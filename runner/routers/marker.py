"""Our one annotation: which run set this split, on whose authority, and where safety lies."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.foreign import json_of
from runner.model.split import Split, split_of
from runner.model.stages import KubeObject

ANNOTATION = "runner/run"
RUN = re.compile(r"[\w.-]{1,80}", re.ASCII)  # people are told to type it: anything else is no word of ours


@dataclass(frozen=True, slots=True)
class Marker:
    """What the object says of the last run that moved it; *digest* is of the destinations it wrote."""

    run: str
    stage: str
    epoch: int
    safe: Split | None
    digest: str

    def encode(self) -> str:
        """The annotation's value."""
        safe = self.safe.as_dict() if self.safe is not None else None
        body = {
            "run": self.run,
            "stage": self.stage,
            "epoch": self.epoch,
            "safe": safe,
            "digest": self.digest,
        }
        return json.dumps(body, separators=(",", ":"))


def marker_of(found: KubeObject) -> Marker | None:
    """The marker on *found*; None where there is none that can be read."""
    text = (found.get("metadata", {}).get("annotations") or {}).get(ANNOTATION)
    try:
        body = json_of(text) if text else None
        return None if body is None else _decode(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _decode(body: Mapping[str, Any]) -> Marker:
    safe = (
        split_of({str(name): int(weight) for name, weight in body["safe"].items()}) if body["safe"] else None
    )
    if not RUN.fullmatch(body["run"]):
        raise ValueError(body["run"])
    return Marker(body["run"], str(body["stage"]), int(body["epoch"]), safe, str(body["digest"]))


def with_marker(found: KubeObject, marker: Marker) -> dict[str, Any]:
    """*found* with its annotation set, everything else shared with the original."""
    metadata = dict(found.get("metadata", {}))
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: marker.encode()}
    return {**found, "metadata": metadata}


def digest_of(value: object) -> str:
    """A short digest of plain JSON, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
