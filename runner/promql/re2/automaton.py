"""Runs programs in time linear in the text (R. Cox, "Regular Expression Matching Can Be Simple And Fast").

Whether a text matches is found by a deterministic automaton built while it runs; where the groups are, by
following all threads of the program in order of preference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from runner.promql.errors import LimitError
from runner.promql.re2.program import Check, Done, Jump, Program, Save, Split, Take

MAX_TRANSITIONS = 10_000
MAX_WORK = 5_000_000  # program steps of one pattern in one query

Slots = dict[int, int]
State = tuple[frozenset[int], str]
START: State = (frozenset({0}), "start")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a text matched: each group's text, None for groups that took no part."""

    groups: tuple[str | None, ...]
    names: tuple[str | None, ...]

    def group(self, reference: str) -> str:
        """The text of a group by number (0 is everything) or name; empty where there is none."""
        if reference.isdigit():
            number = int(reference)
            return (self.groups[number] or "") if number < len(self.groups) else ""
        return (self.groups[self.names.index(reference) + 1] or "") if reference in self.names else ""


@dataclass(slots=True)
class Pattern:
    """A compiled pattern that matches whole texts.

    *left* counts down the work that a query may still spend; `refill` starts a new query.
    """

    text: str
    program: Program
    left: int = MAX_WORK
    _transitions: dict[tuple[State, str], State] = field(default_factory=dict, repr=False)
    _accepting: dict[State, bool] = field(default_factory=dict, repr=False)

    def refill(self) -> None:
        """Allow the work of one more query."""
        self.left = MAX_WORK

    def matches(self, text: str) -> bool:
        """Whether the whole of *text* matches. LimitError when the work is used up."""
        state = START
        transitions = self._transitions
        for character in text:
            following = transitions.get((state, character))
            if following is None:
                following = self._step(state, character)
            state = following
            if not state[0]:
                return False
        return self._accepts(state)

    def _step(self, state: State, character: str) -> State:
        reached = self._closure(state[0], state[1], kind_of(character))
        instructions = self.program.instructions
        following = frozenset(
            place + 1
            for place in reached
            if isinstance(take := instructions[place], Take) and character in take.characters
        )
        if len(self._transitions) >= MAX_TRANSITIONS:
            self._transitions.clear()
            self._accepting.clear()
        result = (following, kind_of(character))
        self._transitions[state, character] = result
        return result

    def _accepts(self, state: State) -> bool:
        known = self._accepting.get(state)
        if known is None:
            reached = self._closure(state[0], state[1], "end")
            known = any(isinstance(self.program.instructions[place], Done) for place in reached)
            self._accepting[state] = known
        return known

    def _closure(self, places: Iterable[int], before: str, after: str) -> set[int]:
        """Every place that can be reached without a character, between what is *before* and *after*."""
        seen: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            match self.program.instructions[place]:
                case Split(first=first, second=second):
                    waiting += (first, second)
                case Jump(target=target):
                    waiting.append(target)
                case Save():
                    waiting.append(place + 1)
                case Check(kind=kind):
                    if holds(kind, before, after):
                        waiting.append(place + 1)
                case Take() | Done():
                    pass
        self._spend(len(seen))
        return seen

    def _spend(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise LimitError(
                f'pattern "{self.text[:60]}" takes too long on these labels', hint="write a simpler pattern"
            )

    def match(self, text: str) -> Match | None:
        """The groups of a match of the whole of *text*; of several ways, the preferred one."""
        if not self.matches(text):
            return None
        slots = self._preferred(text)
        groups = tuple(_between(text, slots, number) for number in range(1, len(self.program.groups) + 1))
        return Match((text, *groups), self.program.groups)

    def _preferred(self, text: str) -> Slots:
        threads: list[tuple[int, Slots]] = [(0, {})]
        before = "start"
        for at, character in enumerate(text):
            reached = self._threads(threads, at, before, kind_of(character))
            threads = [
                (place + 1, slots)
                for place, slots in reached
                if isinstance(take := self.program.instructions[place], Take) and character in take.characters
            ]
            before = kind_of(character)
        ended = self._threads(threads, len(text), before, "end")
        return next(slots for place, slots in ended if isinstance(self.program.instructions[place], Done))

    def _threads(
        self, threads: list[tuple[int, Slots]], at: int, before: str, after: str
    ) -> list[tuple[int, Slots]]:
        """As `_closure`, with slots and in order of preference; a later thread to a place is dropped."""
        seen: set[int] = set()
        reached: list[tuple[int, Slots]] = []
        waiting = list(reversed(threads))
        while waiting:
            place, slots = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            match self.program.instructions[place]:
                case Split(first=first, second=second):
                    waiting += ((second, slots), (first, slots))
                case Jump(target=target):
                    waiting.append((target, slots))
                case Save(slot=slot):
                    waiting.append((place + 1, {**slots, slot: at}))
                case Check(kind=kind):
                    if holds(kind, before, after):
                        waiting.append((place + 1, slots))
                case Take() | Done():
                    reached.append((place, slots))
        self._spend(len(seen))
        return reached


def _between(text: str, slots: Slots, number: int) -> str | None:
    start, end = slots.get(2 * number), slots.get(2 * number + 1)
    return None if start is None or end is None else text[start:end]


def kind_of(character: str) -> str:
    """What assertions want to know about a neighbour."""
    if character == "\n":
        return "newline"
    return "word" if character == "_" or (character.isascii() and character.isalnum()) else "other"


def holds(kind: str, before: str, after: str) -> bool:
    """Whether the assertion *kind* holds between two neighbours."""
    match kind:
        case "^":
            return before == "start"
        case "$":
            return after == "end"
        case "m^":
            return before in ("start", "newline")
        case "m$":
            return after in ("end", "newline")
        case _:
            return ((before == "word") != (after == "word")) is (kind == "b")
