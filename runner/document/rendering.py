"""A whole tree with its templates filled in: string leaves only, each of the type that its field wants."""

import re
from collections.abc import Callable
from typing import Any, Final

from runner.document.templates import Expression, names, render, split
from runner.document.terms import Context, TemplateError, UnknownValueError, Value, as_text, is_template
from runner.document.tree import Document, Path
from runner.errors import Diagnostic

MAX_EVALUATED: Final = 500
MAX_RENDERED: Final = 4 * 1024 * 1024
INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,15})")
NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,17})?")
TRUTH: Final = {"true": True, "false": False}

Types = Callable[[Path], frozenset[str]]
"""Which JSON types a value at a path may have; empty where anything goes."""


class Rendering:
    """One document being rendered; *found*, *names* (used in templates) and *unknown* grow with every call.

    *unknown* are the paths whose value could not be known: a variable without one, or a mistake that is told.
    """

    def __init__(self, document: Document, types: Types) -> None:
        self.document = document
        self.types = types
        self.found: list[Diagnostic] = []
        self.unknown: set[Path] = set()
        self.names: set[str] = set()
        self.size = 0
        self.evaluated: set[str] = set()

    def tree(self, value: Any, context: Context, path: Path = ()) -> Any:
        """*value* rendered; it stands at *path* in the document. Keys that begin with `x-` are left alone."""
        if isinstance(value, str):
            return self.leaf(value, context, path) if is_template(value) else value
        if id(value) not in self.document.templated:
            return value
        if isinstance(value, list):
            return [self.tree(inner, context, (*path, index)) for index, inner in enumerate(value)]
        for key in value:
            if "{{" in key:
                self._refuse_key(key, path)
        return {
            key: inner if key.startswith("x-") else self.tree(inner, context, (*path, key))
            for key, inner in value.items()
        }

    def _refuse_key(self, key: str, path: Path) -> None:
        hint = "for a subset that is a variable use canary: N" if "weights" in path else None
        self.add("RUN207", "a key is not rendered: templates stand in values", (*path, key), hint)

    def leaf(self, text: str, context: Context, path: Path) -> Any:
        """One string leaf. None where its value is unknown."""
        self.names |= names(text)
        try:
            self._count(text)
            value = render(text, context)
            self.size += len(value) if isinstance(value, str) else 0
        except UnknownValueError:
            self.unknown.add(path)
        except TemplateError as error:
            self.unknown.add(path)
            self.found.append(_told(self.document, error, path))
        else:
            return coerce(value, self.types(path)) if _is_one(text) else value
        return None

    def add(self, code: str, message: str, path: Path, hint: str | None = None) -> None:
        """One diagnostic about the key at *path*."""
        self.found.append(self.document.diagnostic(code, message, path, on_key=True, hint=hint))

    def _count(self, text: str) -> None:
        self.evaluated.update(
            part.source for part in split(text) if isinstance(part, Expression) and part.path is None
        )
        if len(self.evaluated) > MAX_EVALUATED or self.size > MAX_RENDERED:
            raise TemplateError("RUN205", "the document has too many templates", hint="use plain variables")


def coerce(value: Value, types: frozenset[str]) -> Value:
    """*value* as one of *types*, where it can be; else as it is, and the schema will say what is wrong."""
    if isinstance(value, str):
        return value if not types or "string" in types else _from_text(value, types)
    if types == {"string"}:
        return as_text(value)
    return value


def _from_text(text: str, types: frozenset[str]) -> Value:
    if "boolean" in types and text in TRUTH:
        return TRUTH[text]
    if types & {"integer", "number"} and INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and NUMBER.fullmatch(text):
        return float(text)
    return text


def _is_one(text: str) -> bool:
    parts = split(text)
    return len(parts) == 1 and isinstance(parts[0], Expression)


def _told(document: Document, error: TemplateError, path: Path) -> Diagnostic:
    place = document.text_location(path, error.needle)
    return document.diagnostic(error.code, error.message, place, hint=error.hint)
