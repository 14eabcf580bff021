"""Where a journal in the cluster lies: ConfigMaps NAME-0000, NAME-0001, ..., each sealed once the next one exists.

A part that is full is closed (nobody writes to it any more), then the next one is created, then the full one is
sealed (``immutable``). So at any moment one object takes the next write, and a sealed part without a successor
means that somebody has deleted one.
"""

import re
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from runner.errors import DisagreementError, RunnerError, UsageError
from runner.journal.file import DamagedError, Record, decoded
from runner.model.stages import KubeObject
from runner.ports import Cluster, ObjectRef

SCHEME = "configmap:"
PART = 256 * 1024  # bytes of lines; an object of the API server holds at most 1.5 MiB (etcd's request limit)
KEY = "journal.jsonl"
STATE, RUN = "runner/state", "runner/state-of"  # labels: `first` or `more`, and the run
CLOSED = "runner/closed"  # annotation of a part that nothing is added to
NAME = re.compile(
    r"[a-z0-9]([-a-z0-9.]{0,240}[a-z0-9])?"
)  # a DNS subdomain, with room for what is added to it


@dataclass(frozen=True, slots=True)
class ConfigMapName:
    """Names the state of a run in a cluster, and the ConfigMaps of its parts."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.namespace}/{self.name}"

    def part(self, number: int) -> ObjectRef:
        """The ConfigMap of one part."""
        return ObjectRef("v1", "ConfigMap", self.namespace, f"{self.name}-{number:04d}")


def place_of(text: str) -> ConfigMapName | None:
    """What ``configmap:NAMESPACE/NAME`` names; None for a path. UsageError when it is half of one."""
    if not text.startswith(SCHEME):
        return None
    namespace, slash, name = text.removeprefix(SCHEME).partition("/")
    if not slash or not NAME.fullmatch(namespace) or not NAME.fullmatch(name):
        raise UsageError(
            f"{text!r} is not configmap:NAMESPACE/NAME, in small letters, digits and `-`",
            hint="for example configmap:bookinfo/run-1",
        )
    return ConfigMapName(namespace, name)


def new_part(place: ConfigMapName, number: int, run: str, text: str) -> KubeObject:
    """A part that holds *text*."""
    ref = place.part(number)
    labels = {STATE: "more" if number else "first", RUN: run}
    metadata = {"name": ref.name, "namespace": ref.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: text}}


def ref_of(part: KubeObject) -> ObjectRef:
    """Names *part*."""
    return ObjectRef("v1", "ConfigMap", part["metadata"]["namespace"], part["metadata"]["name"])


def number_of(part: KubeObject) -> int:
    """The how-manieth *part* is, counted from 0."""
    return int(part["metadata"]["name"].rpartition("-")[2])


def text_of(part: KubeObject) -> str:
    """The lines in *part*. DisagreementError where it holds anything else."""
    data = part.get("data") or {}
    others = sorted({*data, *(part.get("binaryData") or {})} - {KEY})
    text = data.get(KEY)
    if others or not isinstance(text, str):
        wrong = f"holds {', '.join(others)}" if others else f"has no {KEY}"
        raise _not_ours(part, f"{wrong}, and a part of a state holds {KEY} alone")
    return text


def with_text(part: KubeObject, text: str) -> KubeObject:
    """*part* with *text* in place of what it held."""
    return {**part, "data": {KEY: text}}


def is_closed(part: KubeObject) -> bool:
    """Whether nothing is added to *part* any more."""
    return is_sealed(part) or CLOSED in (part["metadata"].get("annotations") or {})


def is_sealed(part: KubeObject) -> bool:
    """Whether the API server itself keeps *part* as it is; there is a next one then."""
    return part.get("immutable") is True


def closed(part: KubeObject) -> KubeObject:
    """*part*, closed."""
    annotations = {**(part["metadata"].get("annotations") or {}), CLOSED: "true"}
    return {**part, "metadata": {**part["metadata"], "annotations": annotations}}


def sealed(part: KubeObject) -> KubeObject:
    """*part*, sealed."""
    return {**part, "immutable": True}


def _not_ours(part: KubeObject, wrong: str) -> DisagreementError:
    metadata = part["metadata"]
    return DisagreementError(
        f"ConfigMap {metadata.get('namespace')}/{metadata['name']} {wrong}",
        hint="nothing was touched; the safe split is in the `runner/run` annotation of the VirtualService:"
        " `runner rollback --route ROUTE -n NAMESPACE` goes back without a state",
    )


class Parts:
    """Reads the parts of one place, and those that are sealed once only."""

    def __init__(self, cluster: Cluster, place: ConfigMapName) -> None:
        self._cluster, self._place = cluster, place
        self._sealed: list[str] = []

    def read(self) -> tuple[Record, list[KubeObject]]:
        """The record, and the parts that were not known to be sealed, the one that is written to at the end.

        RunnerError where there is none; DisagreementError where something is missing or does not check.
        """
        found, texts = self._unknown(), list(self._sealed)
        texts += [text_of(part) for part in found]
        record = self._record(texts)
        for part in found:
            if not is_sealed(part):
                break
            self._sealed.append(text_of(part))
        return record, found

    def _unknown(self) -> list[KubeObject]:
        found: list[KubeObject] = []
        number = len(self._sealed)
        while (part := self._cluster.get(self._place.part(number + len(found)))) is not None:
            found.append(part)
            if not is_closed(part):
                return found
        self._refuse_missing(number + len(found), sealed_before=not found or is_sealed(found[-1]))
        return found

    def _refuse_missing(self, number: int, *, sealed_before: bool) -> None:
        """Part *number* is not there: it never was, or somebody has deleted it."""
        there = self._cluster.get(self._place.part(number + 1)) is not None
        if there or (number and sealed_before):
            missing = self._place.part(number)
            raise DisagreementError(
                f"{self._place} is not whole: ConfigMap {missing.namespace}/{missing.name} was deleted",
                hint="restore it, or rebuild the state from the marker: runner adopt FILE;"
                " `runner rollback --route ROUTE -n NAMESPACE` goes back without a state",
            )
        if not number:
            raise RunnerError(
                f"there is no state in {self._place}",
                hint="check the namespace, the name and the context; a state that was deleted is rebuilt from the"
                " marker: runner adopt FILE",
            )

    def _record(self, texts: list[str]) -> Record:
        path, data = Path(str(self._place)), "".join(texts).encode()
        try:
            events, link = decoded(path, data)
        except DamagedError as error:
            ends = accumulate(text.count("\n") for text in texts)
            number = next((n for n, end in enumerate(ends) if error.line <= end), len(texts) - 1)
            message = f"{error.message} (in ConfigMap {self._place.part(number).name})"
            raise DisagreementError(message, hint=error.hint) from error
        return Record(path, link.run, events, link, len(data))
