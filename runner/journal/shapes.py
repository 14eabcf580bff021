"""Whether the values of an event are of the types that its class names: a line may check and still say nonsense."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from math import isfinite
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from runner.errors import DisagreementError
from runner.model.split import split_of

T = TypeVar("T")
Types = tuple[type, ...]


def fitting(value: T) -> T:
    """*value*, a dataclass of the journal. DisagreementError names the field that holds something else."""
    cls: type = type(value)
    for name, types in _types(cls):
        held = getattr(value, name)
        kind = type(held)
        if kind in types and kind is not float and kind is not int:
            continue  # nearly always
        if not isinstance(held, types) or kind is bool or _endless(held):
            raise DisagreementError(f"its {name.rstrip('_')!r} is {kind.__name__}")
    return value


def _endless(held: Any) -> bool:
    """1e999 is JSON, and no number that anything could be done with; nor is a one with 999 noughts."""
    try:
        return isinstance(held, int | float) and not isfinite(held)
    except OverflowError:
        return True


def effect_facts(facts: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What an effect wants, found or came to; ValueError, TypeError or AttributeError where a known part is none."""
    if facts is None:
        return None
    for weights in (facts.get("split"), *(facts.get("splits") or {}).values()):
        if weights is not None:
            split_of(weights)
    for name in ("replicas", "before"):
        if not isinstance(facts.get(name), int | None):
            raise ValueError(name)  # noqa: TRY004 - all that is wrong with a line is one kind of damage
    return facts


@cache
def _types(cls: type) -> tuple[tuple[str, Types], ...]:
    hints = get_type_hints(cls)
    return tuple((field.name, _flat(hints[field.name])) for field in fields(cls))


def _flat(hint: Any) -> Types:
    """The classes of a hint; a whole number is good enough for a float."""
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return tuple(cls for part in get_args(hint) for cls in _flat(part))
    cls = get_origin(hint) or hint
    return (int, float) if cls is float else (cls,)
