"""Fields of a schema by path: what type a value should have, and what people are told about it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from runner.document.plain import strict_node
from runner.document.schema import published
from runner.document.tree import Path

Field = Mapping[str, Any]
INNER: Final = ("items", "additionalProperties")


def field_at(name: str, path: Path) -> Field | None:
    """The field at *path* in the rendered form of the schema *name*; None where there is none."""
    return _field(name, tuple("0" if isinstance(part, int) else part for part in path))


def types_at(name: str, path: Path) -> frozenset[str]:
    """The JSON types that a value at *path* may have; empty where the schema does not say."""
    field = field_at(name, path)
    kinds = field.get("type", ()) if field else ()
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def field_named(name: str, names: tuple[str, ...]) -> Field | None:
    """The field that *names* lead to as people say it: `stages.verify.every`, without indexes and free names."""
    whole = published(name)
    field: Field | None = merged(whole, whole)
    for part in names:
        field = field and _by_name(whole, field, part)
    return field


def members(name: str, field: Field) -> dict[str, Field]:
    """The named fields inside *field*, through lists and through mappings by free names."""
    return dict(_members(published(name), field))


def merged(whole: Field, field: Field) -> Field:
    """*field* with what it refers to; its own words win. `form` is what that calls itself."""
    found = dict(strict_node(field))
    for other in [field] if "$ref" in field else field.get("allOf", []):
        meant = whole["definitions"][other["$ref"].rpartition("/")[2]]
        found = {**merged(whole, meant), "form": meant.get("title", "").lower(), **found}
    return found


def _members(whole: Field, field: Field) -> Iterator[tuple[str, Field]]:
    yield from ((key, merged(whole, inner)) for key, inner in field.get("properties", {}).items())
    for key in INNER:
        if isinstance(field.get(key), Mapping):
            yield from _members(whole, merged(whole, field[key]))


def _by_name(whole: Field, field: Field, part: str) -> Field | None:
    found = dict(_members(whole, field)).get(part)
    if found is None and isinstance(field.get("additionalProperties"), Mapping):
        return merged(whole, field["additionalProperties"])  # a name of the author's
    if found is None and part.isdecimal() and isinstance(field.get("items"), Mapping):
        return merged(whole, field["items"])
    return found


@lru_cache(maxsize=1024)
def _field(name: str, path: tuple[str, ...]) -> Field | None:
    whole = published(name)
    field: Field | None = merged(whole, whole)
    for part in path:
        field = field and _inner(whole, field, part)
    return field


def _inner(whole: Field, field: Field, part: str) -> Field | None:
    inner = field.get("properties", {}).get(part)
    if inner is None and part.isdecimal():
        inner = field.get("items")
    if inner is None and isinstance(field.get("additionalProperties"), Mapping):
        inner = field["additionalProperties"]
    return merged(whole, inner) if isinstance(inner, Mapping) else None
