"""The journal in ConfigMaps, for runs whose disk will not be there to resume from.

Lines are chained as in a file. They lie in parts NAME-0000, NAME-0001, ... of at most 256 KiB; a part is never
touched again once the next one exists. Every append is a conditional write of one object.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.engine.events import Event, RunStarted
from runner.errors import ConflictError, DisagreementError, RunnerError, TransientError
from runner.journal.codec import Link, encode
from runner.journal.file import Record, decoded
from runner.model.stages import KubeObject
from runner.ports import Clock, Cluster, ObjectRef

SCHEME = "configmap:"
PART = 256 * 1024  # bytes of lines; an object of the API server holds at most 1.5 MiB (etcd's request limit)
KEY = "journal.jsonl"
LABEL = "runner/state"
PATIENCE = 60.0  # seconds that an append may go without a certain answer
PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parts lie."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.namespace}/{self.name}"

    def part(self, number: int) -> ObjectRef:
        """The ConfigMap of one part."""
        return ObjectRef("v1", "ConfigMap", self.namespace, f"{self.name}-{number:04d}")


def place_of(text: str) -> Place | None:
    """The place that ``configmap:NAMESPACE/NAME`` means; None for a path. RunnerError when it is half of one."""
    if not text.startswith(SCHEME):
        return None
    namespace, slash, name = text.removeprefix(SCHEME).partition("/")
    if not namespace or not slash or not name:
        raise RunnerError(
            f"{text!r} is not configmap:NAMESPACE/NAME", hint="for example configmap:bookinfo/run-1"
        )
    return Place(namespace, name)


def read_parts(cluster: Cluster, place: Place) -> tuple[Record, KubeObject]:
    """The record in the parts of *place*, and the last part as it stands. RunnerError where there is none."""
    parts: list[KubeObject] = []
    while (found := cluster.get(place.part(len(parts)))) is not None:
        parts.append(found)
    if not parts:
        raise RunnerError(
            f"there is no state in {place}", hint="check the namespace, the name and the context"
        )
    data = "".join((part.get("data") or {}).get(KEY, "") for part in parts).encode()
    path = Path(str(place))
    events, link = decoded(path, data)
    return Record(path, link.run, events, link, len(data)), parts[-1]


class ConfigMapJournal:
    """Appends to the last part; another writer is noticed at once, since every write is conditional."""

    def __init__(self, cluster: Cluster, clock: Clock, place: Place, part: KubeObject, link: Link) -> None:
        self._cluster, self._clock, self._place = cluster, clock, place
        self._part, self._link = part, link
        self._number = int(part["metadata"]["name"].rsplit("-", 1)[1])

    @property
    def path(self) -> Path:
        """Names the place in messages."""
        return Path(str(self._place))

    @property
    def run(self) -> str:
        """The run it records."""
        return self._link.run

    @classmethod
    def create(
        cls, cluster: Cluster, clock: Clock, place: Place, run: str, first: RunStarted
    ) -> tuple["ConfigMapJournal", str]:
        """A new journal. DisagreementError where the first part exists."""
        line, link = encode(first, Link(run))
        try:
            part = cluster.create(_part(place, 0, f"{line}\n"))
        except ConflictError as error:
            raise DisagreementError(f"{place} holds a run already", hint="choose another name") from error
        return cls(cluster, clock, place, part, link), line

    @classmethod
    def resume(cls, cluster: Cluster, clock: Clock, place: Place) -> tuple["ConfigMapJournal", Record]:
        """The journal as it stands."""
        record, part = read_parts(cluster, place)
        return cls(cluster, clock, place, part, record.link), record

    def append(self, events: Sequence[Event]) -> list[str]:
        """Write *events* in one conditional write. DisagreementError when somebody else has written."""
        link, lines = self._link, []
        for event in events:
            line, link = encode(event, link)
            lines.append(line)
        self._write("".join(f"{line}\n" for line in lines))
        self._link = link
        return lines

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, text: str) -> None:
        """Send, and where the answer is lost look whether the text is there before sending again."""
        until = self._clock.now() + PATIENCE
        while True:
            try:
                self._part = self._sent(text)
            except (TransientError, ConflictError) as error:
                if self._is_there(text):
                    return
                if isinstance(error, ConflictError) or self._clock.now() >= until:
                    raise self._lost(error) from error
                self._clock.sleep_until(self._clock.now() + PAUSE)
            else:
                return

    def _sent(self, text: str) -> KubeObject:
        held = self._part["data"][KEY]
        if len(held.encode()) + len(text.encode()) <= PART:
            return self._cluster.replace({**self._part, "data": {KEY: held + text}})
        part = self._cluster.create(_part(self._place, self._number + 1, text))
        self._number += 1
        return part

    def _is_there(self, text: str) -> bool:
        try:
            for number in (self._number + 1, self._number):
                found = self._cluster.get(self._place.part(number))
                if found is not None and found["data"][KEY].endswith(text):
                    self._part, self._number = found, number
                    return True
        except TransientError:
            return False
        return False

    def _lost(self, error: RunnerError) -> RunnerError:
        if isinstance(error, ConflictError):
            return DisagreementError(
                f"another process writes to {self._place}",
                hint="`runner status` shows where the run stands; one process plays it at a time",
            )
        return RunnerError(f"the state in {self._place} cannot be written: {error.message}", hint=error.hint)


def _part(place: Place, number: int, text: str) -> dict[str, Any]:
    ref = place.part(number)
    metadata = {"name": ref.name, "namespace": ref.namespace, "labels": {LABEL: place.name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: text}}
