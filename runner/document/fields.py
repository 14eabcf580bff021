"""Fields of a schema by path: what type a value should have, and what people are told about it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from runner.document.schema import strict
from runner.document.tree import Path

Field = Mapping[str, Any]


def field_at(name: str, path: Path) -> Field | None:
    """The field at *path* in the rendered form of the schema *name*; None where there is none."""
    return _field(name, tuple("0" if isinstance(part, int) else part for part in path))


def types_at(name: str, path: Path) -> frozenset[str]:
    """The JSON types that a value at *path* may have; empty where the schema does not say."""
    field = field_at(name, path)
    kinds = field.get("type", ()) if field else ()
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def members(name: str, field: Field) -> Iterator[tuple[str, Field]]:
    """The named fields inside *field*, through lists and through mappings by free names."""
    whole = strict(name)
    for inner in (field, field.get("items"), field.get("additionalProperties")):
        if isinstance(inner, Mapping):
            found = merged(whole, inner)
            yield from ((key, merged(whole, value)) for key, value in found.get("properties", {}).items())


def merged(whole: Field, field: Field) -> Field:
    """*field* with what it refers to; its own words win."""
    found = dict(field)
    for other in [field] if "$ref" in field else field.get("allOf", []):
        name = other["$ref"].rpartition("/")[2]
        found = {**merged(whole, whole["definitions"][name]), **found}
    return found


@lru_cache(maxsize=1024)
def _field(name: str, path: tuple[str, ...]) -> Field | None:
    whole = strict(name)
    field: Field | None = merged(whole, whole)
    for part in path:
        field = _inner(whole, field, part)
        if field is None:
            return None
    return field


def _inner(whole: Field, field: Field | None, part: str) -> Field | None:
    if field is None:
        return None
    inner = field.get("properties", {}).get(part)
    if inner is None and part.isdecimal():
        inner = field.get("items")
    if inner is None and isinstance(field.get("additionalProperties"), Mapping):
        inner = field["additionalProperties"]
    return merged(whole, inner) if isinstance(inner, Mapping) else None
