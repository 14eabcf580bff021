"""Two forms of one Kubernetes object, field by field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.model.stages import KubeObject
from runner.routers.marker import ANNOTATION, digest_of
from runner.stages.scale import ANNOTATION as SCALED

SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
"""Metadata that the server keeps for itself."""
CONTROLLERS = ("deployment.kubernetes.io/revision",)
"""Annotations by which controllers keep count, in their own time."""
NOT_OURS = (ANNOTATION, SCALED, "kubectl.kubernetes.io/last-applied-configuration", *CONTROLLERS)
NAMES = ("name", "containerPort", "port", "mountPath", "host")
"""Keys that tell the items of a list apart, the first that all of them have."""
NOT_TOLD = ("status", "metadata", "apiVersion", "kind")
SECRET_PARTS = ("data", "stringData")


class _Absent:
    """No value at all, which is not null."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Field:
    """One field that differs; *before* or *after* is None where it is not there."""

    path: str
    before: str | None
    after: str | None


def differences(before: KubeObject, after: KubeObject) -> tuple[Field, ...]:
    """Every field in which two forms differ, in the order of the second; what a Secret holds is not shown."""
    hides = after.get("kind") == "Secret"
    found = _differing(_told(before), _told(after), "")
    return tuple(_hidden(field) if hides and _secret(field) else field for field in found)


def fingerprint(found: KubeObject) -> str:
    """Names what people and controllers want of an object: neither its status nor the server's bookkeeping."""
    metadata = _metadata(found, CONTROLLERS)
    wanted = {name: value for name, value in found.items() if name not in ("status", "metadata")}
    return digest_of({**wanted, "metadata": metadata})


def _told(found: KubeObject) -> dict[str, Any]:
    rest = {name: value for name, value in found.items() if name not in NOT_TOLD}
    return {**rest, "metadata": _metadata(found, NOT_OURS)}


def _metadata(found: KubeObject, without: Sequence[str]) -> dict[str, Any]:
    """What people wrote of an object's metadata, *without* some annotations."""
    kept = {name: value for name, value in found.get("metadata", {}).items() if name not in SERVERS_OWN}
    annotations = kept.get("annotations") or {}
    return {**kept, "annotations": {name: annotations[name] for name in annotations if name not in without}}


def _differing(before: Any, after: Any, path: str) -> Iterator[Field]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*after, *before)):
            inner = f"{path}.{_spelled(name)}" if path else str(name)
            yield from _differing(before.get(name, ABSENT), after.get(name, ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and (named := _named(before, after)):
        old, new = named
        for name in dict.fromkeys((*new, *old)):
            yield from _differing(old.get(name, ABSENT), new.get(name, ABSENT), f"{path}[{name}]")
    else:
        yield Field(path, _shown(before), _shown(after))


def _spelled(name: str) -> str:
    return f'"{name}"' if "." in name or "/" in name else name


def _named(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by what tells their items apart, else by position where they are as long; else None."""
    for key in NAMES:
        old, new = _by(before, key), _by(after, key)
        if old is not None and new is not None:
            return old, new
    return (_by_position(before), _by_position(after)) if len(before) == len(after) else None


def _by_position(items: list[Any]) -> dict[str, Any]:
    return {str(n): item for n, item in enumerate(items)}


def _by(items: list[Any], key: str) -> dict[str, Any] | None:
    if not all(isinstance(item, Mapping) and key in item for item in items):
        return None
    found = {str(item[key]): item for item in items}
    return found if len(found) == len(items) else None


def _shown(value: Any) -> str | None:
    match value:
        case _Absent():
            return None
        case bool() | None:
            return "null" if value is None else str(value).lower()
        case str():
            return value or '""'
        case Mapping():
            return "{" + ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(str(_shown(inner)) for inner in value) + "]"
        case _:
            return str(value)


def _secret(field: Field) -> bool:
    return field.path.partition(".")[0] in SECRET_PARTS


def _hidden(field: Field) -> Field:
    def hide(value: str | None) -> str | None:
        return None if value is None else "(hidden)"

    return Field(field.path, hide(field.before), hide(field.after))
