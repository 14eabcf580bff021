"""Label sets and the matchers that select them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runner.promql.regex import Matching, compile_matching

NAME = "__name__"
METADATA = frozenset({NAME, "__type__", "__unit__"})
"""Labels that say what a metric is; an operation that changes the meaning of a value drops them."""

MAX_DERIVED = 64


class Labels(Mapping[str, str]):
    """An immutable label set without empty values, sorted by name.

    A class of its own, not a dataclass: hash and derived sets are remembered, since one series is grouped,
    matched and stripped of its name again at every step of every query.
    """

    __slots__ = ("_derived", "_hash", "_values", "pairs")

    pairs: tuple[tuple[str, str], ...]

    def __init__(self, labels: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        values = dict(labels)
        self.pairs = tuple(sorted((name, value) for name, value in values.items() if value))
        self._values = dict(self.pairs)
        self._hash = hash(self.pairs)
        self._derived: dict[tuple[str, tuple[str, ...]], Labels] = {}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Labels) and self._hash == other._hash and self.pairs == other.pairs

    def __repr__(self) -> str:
        return "{" + ", ".join(f'{name}="{_escaped(value)}"' for name, value in self.pairs) + "}"

    def value(self, name: str) -> str:
        """The value of *name*; a missing label is an empty one."""
        return self._values.get(name, "")

    def only(self, names: tuple[str, ...]) -> "Labels":
        """The labels in *names* alone."""
        key = ("only", names)
        found = self._derived.get(key)
        if found is None:
            found = self._remember(key, Labels((name, self.value(name)) for name in names))
        return found

    def without(self, names: tuple[str, ...]) -> "Labels":
        """Everything but *names*."""
        key = ("without", names)
        found = self._derived.get(key)
        if found is None:
            found = self._remember(key, Labels(pair for pair in self.pairs if pair[0] not in names))
        return found

    def nameless(self) -> "Labels":
        """Everything but the labels that say what a metric is."""
        key = ("nameless", ())
        found = self._derived.get(key)
        if found is None:
            found = self._remember(key, Labels(pair for pair in self.pairs if pair[0] not in METADATA))
        return found

    def replacing(self, name: str, value: str) -> "Labels":
        """The same set with *name* set to *value*; an empty value removes the label."""
        return Labels({**self._values, name: value})

    def _remember(self, key: tuple[str, tuple[str, ...]], derived: "Labels") -> "Labels":
        if len(self._derived) >= MAX_DERIVED:
            self._derived.clear()
        self._derived[key] = derived
        return derived


EMPTY = Labels()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MatchOperator(StrEnum):
    """How a matcher compares; spelled as in PromQL."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that a series lacks counts as empty."""

    name: str
    operator: MatchOperator
    value: str
    pattern: Matching | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX):
            object.__setattr__(self, "pattern", compile_matching(self.value))

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{_escaped(self.value)}"'

    def matches(self, value: str) -> bool:
        """Whether a label with *value* passes; patterns match the whole value."""
        match self.operator:
            case MatchOperator.EQUAL:
                return value == self.value
            case MatchOperator.NOT_EQUAL:
                return value != self.value
            case MatchOperator.REGEX:
                return self.pattern is not None and self.pattern.matches(value)
            case MatchOperator.NOT_REGEX:
                return self.pattern is not None and not self.pattern.matches(value)


def selects(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether *labels* pass every matcher."""
    return all(matcher.matches(labels.value(matcher.name)) for matcher in matchers)
