"""A document as plain values, and the place in the file that each of them came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from runner.document.source import PRIVATE
from runner.errors import Diagnostic, Location, Severity

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document to one of its values."""


class Place(NamedTuple):
    """The span of one value and, in a mapping, of its key; lines and columns count from 1."""

    value: Any
    key: Any = None


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: *tree* is JSON values; positions are found again from the parser's own nodes.

    *templated* are the ids of the mappings and lists in *tree* that hold a template somewhere.
    """

    file: str
    text: str
    tree: Any
    root: Any = field(repr=False)
    templated: frozenset[int] = field(default=frozenset(), repr=False)

    def location(self, path: Sequence[str | int]) -> Location:
        """Where the value at *path* stands; its nearest ancestor's place where there is no such value.

        A block collection is shown by its key, since it has no line of its own.
        """
        place = self._place(path)
        block = place.value is not None and place.value.id != "scalar" and not place.value.flow_style
        return self.span(place.key if block and place.key is not None else place.value)

    def key_location(self, path: Sequence[str | int]) -> Location:
        """Where the key of *path* stands; the value's place where it has no key."""
        place = self._place(path)
        return self.span(place.value if place.key is None else place.key)

    def text_location(self, path: Sequence[str | int], needle: str) -> Location:
        """Where *needle* stands inside the scalar at *path*; the whole scalar where it cannot be found."""
        node = self._place(path).value
        start, end = node.start_mark.index, node.end_mark.index
        found = self.text.find(needle, start, end) if needle else -1
        if found < 0:
            return self.span(node)
        line = self.text.count("\n", 0, found) + 1
        column = found - self.text.rfind("\n", 0, found)
        return Location(self.file, line, column, column + len(needle.split("\n", 1)[0]))

    def source(self, line: int) -> str:
        """The text of *line*, counted from 1, without its end."""
        lines = _lines(self.text)
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def written(self, path: Sequence[str | int]) -> str:
        """The value at *path* exactly as it stands in the file."""
        node = self._place(path).value
        return self.text[node.start_mark.index : node.end_mark.index].rstrip()

    def diagnostic(
        self,
        code: str,
        message: str,
        at: Sequence[str | int] | Location = (),
        *,
        on_key: bool = False,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        """One diagnostic about this document, its source line beside it."""
        place = at if isinstance(at, Location) else self.key_location(at) if on_key else self.location(at)
        source = self.source(place.line) if self.quotable else None
        return Diagnostic(code, message, place, severity, hint, source)

    @property
    def quotable(self) -> bool:
        """Whether its text may be shown."""
        return not _is_private(self.text)

    def plain(self) -> Any:
        """The whole document as JSON values."""
        return self.tree

    def has(self, path: Sequence[str | int]) -> bool:
        """Whether there is a value at *path*."""
        node = self.tree
        for part in path:
            match node, part:
                case dict(), str() if part in node:
                    node = node[part]
                case list(), int() if part < len(node):
                    node = node[part]
                case _:
                    return False
        return True

    def _place(self, path: Sequence[str | int]) -> Place:
        place = Place(self.root)
        for part in path:
            inner = _child(place.value, part)
            if inner is None:
                return place
            place = inner
        return place

    def span(self, node: Any) -> Location:
        """The part of *node*, one of the parser's, that a caret can underline."""
        if node is None:
            return Location(self.file)
        start, end = node.start_mark, node.end_mark
        if node.id != "scalar" and node.value and not node.flow_style:
            end = _first(node).end_mark
        same = end.line == start.line
        stop = end.column if same else len(self.source(start.line + 1).rstrip())
        return Location(self.file, start.line + 1, start.column + 1, max(stop, start.column + 1) + 1)


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """Kept for a few texts: thousands of diagnostics about one would otherwise each hold a copy of its line."""
    return text.splitlines()


@lru_cache(maxsize=8)
def _is_private(text: str) -> bool:
    return PRIVATE.search(text) is not None


def _child(node: Any, part: str | int) -> Place | None:
    match getattr(node, "id", None):
        case "mapping" if isinstance(part, str):
            return _children(node).get(part)
        case "sequence" if isinstance(part, int) and part < len(node.value):
            return Place(node.value[part])
    return None


@lru_cache(maxsize=64)
def _children(node: Any) -> dict[str, Place]:
    """By key, the first of two that are equal; kept, since thousands of diagnostics may ask for one mapping's."""
    return {key.value: Place(value, key) for key, value in reversed(node.value) if key.id == "scalar"}


def _first(node: Any) -> Any:
    """The first scalar of a block collection: what a caret can underline."""
    while node.id != "scalar" and node.value:
        node = node.value[0][0] if node.id == "mapping" else node.value[0]
    return node


def at(tree: Any, path: Sequence[str | int], default: Any = None) -> Any:
    """The value at *path*, or *default* where there is none."""
    for part in path:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return default
    return tree


def in_file_order(diagnostics: Sequence[Diagnostic], first: str) -> tuple[Diagnostic, ...]:
    """Sorted by place and without repeats, those about the file *first* before all others."""
    unique = dict.fromkeys(replace(found, hint=found.hint or None) for found in diagnostics)
    return tuple(sorted(unique, key=lambda found: (found.location.file != first, _order(found))))


def _order(found: Diagnostic) -> tuple[str, int, int, str]:
    place = found.location
    return (place.file, place.line, place.column, found.code)
