"""The journal in ConfigMaps, for runs whose disk will not be there to resume from.

Lines are chained as in a file and lie in the parts that `journal.parts` describes. Every append is a conditional
write of one object. Where its answer is lost, it is looked up before anything else is written.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from runner.engine.events import Event, RunStarted
from runner.errors import (
    ConflictError,
    DisagreementError,
    LockedError,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)
from runner.journal.codec import Link, encoded_from
from runner.journal.file import Record
from runner.journal.parts import (
    PART,
    ConfigMapName,
    Parts,
    closed,
    is_closed,
    is_sealed,
    new_part,
    number_of,
    ref_of,
    sealed,
    text_of,
    with_text,
)
from runner.model.stages import KubeObject
from runner.ports import Clock, Cluster

TRIES = 5  # writes of one text that others may get in between
PAUSE = 1.0  # seconds between two of them while nobody waits for anything yet


class ConfigMapJournal:
    """Appends to the last part; another writer is noticed at once, since every write is conditional.

    *_ahead* is text behind the link that is there already, *_unsure* text of which nobody knows: both begin the
    next append, which is given the same events again.
    """

    def __init__(
        self, cluster: Cluster, place: ConfigMapName, part: KubeObject, link: Link, parts: Parts | None = None
    ) -> None:
        self._cluster, self._place = cluster, place
        self._parts = parts or Parts(cluster, place)
        self._part, self._link = part, link
        self._number = number_of(part)
        self._ahead = self._unsure = ""

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
        cls,
        cluster: Cluster,
        clock: Clock,
        place: ConfigMapName,
        run: str,
        first: RunStarted,
        *,
        then: Sequence[Event] = (),
    ) -> tuple["ConfigMapJournal", str]:
        """A new journal of *first* and *then*, which is there once its first part is; and its first line.

        DisagreementError where any part exists.
        """
        lines, link = encoded_from(Link(run), (first, *then))
        texts = list(_cut("".join(f"{line}\n" for line in lines)))
        _refuse_left(cluster, place, len(texts))
        parts = [
            _created(cluster, clock, place, _ready(place, number, run, text, last=number == len(texts) - 1))
            for number, text in reversed(list(enumerate(texts)))
        ]
        return cls(cluster, place, parts[0], link), lines[0]

    @classmethod
    def resume(cls, cluster: Cluster, place: ConfigMapName) -> tuple["ConfigMapJournal", Record]:
        """The journal as it stands."""
        parts = Parts(cluster, place)
        record, found = parts.read()
        for part in found[:-1]:
            _seal(cluster, part)
        return cls(cluster, place, found[-1], record.link, parts), record

    def news(self) -> tuple[tuple[Event, str], ...]:
        """What another process has added since this was opened, with its lines; this goes on behind it.

        DisagreementError where it does not follow what was read then.
        """
        record, found = self._parts.read()
        events = record.events[self._link.seq - 1 :]
        lines, link = encoded_from(self._link, events)
        if link != record.link:
            raise DisagreementError(
                f"{self._place} is not what it was a moment ago", hint="`runner status` shows what it is now"
            )
        self._part, self._number, self._link = found[-1], number_of(found[-1]), link
        return tuple(zip(events, lines, strict=True))

    def append(self, events: Sequence[Event]) -> list[str]:
        """Write *events*. LockedError when another process has; TransientError where the cluster is out of reach."""
        lines, link = encoded_from(self._link, events)
        text = "".join(f"{line}\n" for line in lines)
        for piece in self._pieces(text.removeprefix(self._ahead)):
            self._put(piece)
            self._ahead += piece
        self._link, self._ahead = link, ""
        return lines

    def close(self) -> None:
        """Nothing is held."""

    def _pieces(self, text: str) -> list[str]:
        """First what may be there already, to the letter; then as much as one part takes at a time."""
        rest = list(_whole_lines(text.removeprefix(self._unsure)))
        return [self._unsure, *rest] if self._unsure else rest

    def _put(self, text: str) -> None:
        was_unsure, self._unsure = bool(self._unsure), text
        for _ in range(TRIES):
            try:
                self._send(text)
            except (UnknownOutcomeError, ConflictError) as error:
                if self._is_there(text):
                    break
                if isinstance(error, TransientError):
                    raise self._out_of_reach(error) from error
            except TransientError as error:
                self._unsure = text if was_unsure else ""
                raise self._out_of_reach(error) from error
            else:
                break
        else:
            raise TransientError(f"others keep changing the ConfigMaps of {self._place}")
        self._unsure = ""

    def _fits(self, text: str) -> bool:
        return not is_closed(self._part) and len(text_of(self._part)) + len(text) <= PART

    def _send(self, text: str) -> None:
        if self._fits(text):
            changed = with_text(self._part, text_of(self._part) + text)
            self._part = self._cluster.replace(changed)
            return
        if not is_closed(self._part):
            self._part = self._cluster.replace(closed(self._part))
        self._go_on_in(self._cluster.create(new_part(self._place, self._number + 1, self.run, text)))

    def _go_on_in(self, part: KubeObject) -> None:
        full, self._part = self._part, part
        self._number += 1
        _seal(self._cluster, full)

    def _is_there(self, text: str) -> bool:
        """Look. LockedError where another process has written, DisagreementError where anybody else has."""
        try:
            return self._found_here(text) if self._fits(text) else self._found_next(text)
        except TransientError as error:
            raise self._out_of_reach(error) from error

    def _found_here(self, text: str) -> bool:
        found = self._here()
        held, now = text_of(self._part), text_of(found)
        if is_closed(found) or now not in (held, held + text):
            raise self._written_by_another(found, held)
        self._part = found  # also where somebody has only put a label on it
        return now == held + text

    def _found_next(self, text: str) -> bool:
        following = self._cluster.get(self._place.part(self._number + 1))
        if following is not None:
            if text_of(following) != text:
                raise self._written_by_another(following, "")
            self._go_on_in(following)
            return True
        found, held = self._here(), text_of(self._part)
        if text_of(found) != held:
            raise self._written_by_another(found, held)
        self._part = found
        return False

    def _here(self) -> KubeObject:
        ref = self._place.part(self._number)
        found = self._cluster.get(ref)
        if found is None:
            raise DisagreementError(
                f"somebody deleted ConfigMap {ref.namespace}/{ref.name}, in which this run is recorded",
                hint="the state can be rebuilt from the marker on the object: runner adopt FILE",
            )
        return found

    def _written_by_another(self, part: KubeObject, held: str) -> RunnerError:
        if text_of(part).startswith(held):
            return LockedError(
                f"another process writes to {self._place}: it has taken this run over",
                hint="`runner status` shows where the run stands; one process plays it at a time",
            )
        metadata = part["metadata"]
        return DisagreementError(
            f"somebody has changed ConfigMap {metadata['namespace']}/{metadata['name']}, in which this run is recorded",
            hint="only runner writes to it; `runner rollback --route ROUTE -n NAMESPACE` goes back without a state",
        )

    def _out_of_reach(self, error: TransientError) -> TransientError:
        message = f"the state in {self._place} cannot be written: {error.message}"
        return type(error)(message, hint=error.hint, retry_after=error.retry_after)


def _cut(text: str) -> Iterator[str]:
    """*text* in pieces that a part takes; lines are ASCII, so that any place will do."""
    yield from (text[at : at + PART] for at in range(0, len(text), PART))


def _whole_lines(text: str) -> Iterator[str]:
    """*text* in pieces of whole lines, each as long as one part takes."""
    piece = ""
    for line in text.splitlines(keepends=True):
        if piece and len(piece) + len(line) > PART:
            yield piece
            piece = ""
        piece += line
    if piece:
        yield piece


def _ready(place: ConfigMapName, number: int, run: str, text: str, *, last: bool) -> KubeObject:
    part = new_part(place, number, run, text)
    return part if last else sealed(part)


def _refuse_left(cluster: Cluster, place: ConfigMapName, count: int) -> None:
    """Parts of another run whose first one is gone would be taken for ours."""
    for number in range(1, count + 1):
        ref = place.part(number)
        if cluster.get(ref) is not None:
            raise DisagreementError(
                f"ConfigMap {ref.namespace}/{ref.name} is left of another run",
                hint=f"choose another name, or: kubectl -n {ref.namespace} delete configmap {ref.name}",
            )


def _created(cluster: Cluster, clock: Clock, place: ConfigMapName, part: KubeObject) -> KubeObject:
    """*part* in the cluster; where the answer is lost, it is looked for before it is sent again."""
    sent = False
    for left in reversed(range(TRIES)):
        try:
            return cluster.create(part)
        except ConflictError as error:
            found = _same(cluster, part) if sent else None
            if found is None:
                raise DisagreementError(f"{place} holds a run already", hint="choose another name") from error
            return found
        except UnknownOutcomeError:
            sent = True
            if (found := _same(cluster, part)) is not None:
                return found
            if not left:
                raise
            clock.sleep_until(clock.now() + PAUSE)
    raise AssertionError


def _same(cluster: Cluster, part: KubeObject) -> KubeObject | None:
    """The part as it is in the cluster, where it holds what *part* does."""
    found = cluster.get(ref_of(part))
    return found if found is not None and text_of(found) == text_of(part) else None


def _seal(cluster: Cluster, part: KubeObject) -> None:
    """Nothing depends on it now; whoever takes the run up seals what was not."""
    if not is_sealed(part):
        with suppress(RunnerError):
            cluster.replace(sealed(part))
