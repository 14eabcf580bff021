"""Who owns which field: paths, how objects differ in them, and how they merge.

Follows sigs.k8s.io/structured-merge-diff as the API server uses it. A path's elements are written as in
managedFields: `f:name`, `k:{"name":"x"}`, `v:"x"`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.sandbox.kinds import is_builtin
from runner.sandbox.shapes import Form, Names, form_of, item_name, keys_of, value_name

Path = tuple[str, ...]
Fields = frozenset[Path]

MAPS = frozenset({"annotations", "binaryData", "data", "labels", "limits", "matchLabels", "requests"})
IDENTITY = frozenset(
    (
        *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
        *("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"),
    )
)


def owned(body: Mapping[str, Any]) -> Fields:
    """Every field that *body* sets, apart from what names the object and its status."""
    return frozenset(_walk(str(body.get("kind")), _settable(body), (), ()))


@dataclass(slots=True)
class Difference:
    """The paths in which a new object departs from an old one."""

    changed: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """What is added or modified, and what is gone, from *old* to *new*."""
    found = Difference()
    kind = str(new.get("kind") or old.get("kind"))
    _compare(kind, _settable(old), _settable(new), (), (), found)
    return found


def merged(live: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """*live* with every field of *config* laid over it."""
    result = _merge(str(config.get("kind")), live, config, ())
    assert isinstance(result, dict)  # noqa: S101 - both are maps
    return result


def pruned(body: dict[str, Any], gone: Iterable[Path], kept: Fields) -> dict[str, Any]:
    """*body* without the fields *gone*, as far as nothing in *kept* is one of them or inside one."""
    for path in sorted(gone, key=len):
        if not any(other[: len(path)] == path for other in kept):
            body = _without(str(body.get("kind")), body, path, ())
    return body


def as_managed_fields(fields: Fields) -> dict[str, Any]:
    """The `fieldsV1` of an entry."""
    root: dict[str, Any] = {}
    for path in sorted(fields):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _tidied(root)


def in_words(path: Path) -> str:
    """A path as the API server prints it: `.spec.template.spec.containers[name="app"].image`."""
    return "".join(_element(element) for element in path)


def _element(element: str) -> str:
    if element.startswith("k:"):
        keys = json.loads(element[2:])
        return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in keys.items()) + "]"
    return f"[={element[2:]}]" if element.startswith("v:") else f".{element[2:]}"


def _tidied(node: dict[str, Any]) -> dict[str, Any]:
    """A `.` says "this one itself" and is only written where there is more below."""
    if set(node) == {"."}:
        return {}
    return {name: _tidied(inner) if name != "." else {} for name, inner in node.items()}


def _settable(body: Mapping[str, Any]) -> dict[str, Any]:
    rest = {
        name: value
        for name, value in body.items()
        if name not in ("apiVersion", "kind", "status", "metadata")
    }
    metadata = {name: value for name, value in body.get("metadata", {}).items() if name not in IDENTITY}
    return rest | ({"metadata": metadata} if metadata else {})


def _walk(kind: str, value: Any, names: Names, path: Path) -> Iterator[Path]:
    for inner_names, inner_path, inner in _children(kind, value, names, path):
        if inner_path[-1].startswith("k:"):
            yield inner_path
        yield from _walk(kind, inner, inner_names, inner_path)
    if path and not any(True for _ in _children(kind, value, names, path)):
        yield path


def _children(kind: str, value: Any, names: Names, path: Path) -> Iterator[tuple[Names, Path, Any]]:
    """What merges one by one below *value*; nothing for a value that is one piece."""
    if isinstance(value, Mapping):
        if form_of(kind, names) is Form.GRANULAR:
            for name, inner in value.items():
                yield (*names, name), (*path, f"f:{name}"), inner
    elif isinstance(value, list):
        key = keys_of(kind, names)
        if key is not None:
            for item in value:
                yield names, (*path, item_name(key, item)), item
        elif form_of(kind, names) is Form.SET:
            for item in value:
                yield names, (*path, value_name(item)), None


def _compare(kind: str, old: Any, new: Any, names: Names, path: Path, found: Difference) -> None:
    if old == new:
        return
    if type(old) is not type(new) or _is_one_piece(kind, new, names):
        found.changed.add(path)
        return
    before = {
        inner_path: (inner_names, value)
        for inner_names, inner_path, value in _children(kind, old, names, path)
    }
    after = {
        inner_path: (inner_names, value)
        for inner_names, inner_path, value in _children(kind, new, names, path)
    }
    for inner_path, (inner_names, value) in after.items():
        if inner_path in before:
            _compare(kind, before[inner_path][1], value, inner_names, inner_path, found)
        else:
            found.changed.update(_with_self(kind, value, inner_names, inner_path))
    for inner_path, (inner_names, value) in before.items():
        if inner_path not in after:
            found.removed.update(_with_self(kind, value, inner_names, inner_path))


def _with_self(kind: str, value: Any, names: Names, path: Path) -> Iterator[Path]:
    """What comes or goes with a whole *value*: its fields, and the maps and items that hold them."""
    inner = list(_children(kind, value, names, path))
    if not inner or path[-1].startswith("k:") or _comes_by_itself(kind, names):
        yield path
    for inner_names, inner_path, item in inner:
        yield from _with_self(kind, item, inner_names, inner_path)


def _comes_by_itself(kind: str, names: Names) -> bool:
    """Whether the map at *names* can be absent; the structs of Kubernetes' own kinds are always there."""
    return names[-1] in MAPS or not is_builtin(kind)


def _is_one_piece(kind: str, value: Any, names: Names) -> bool:
    if isinstance(value, Mapping):
        return form_of(kind, names) is Form.ATOMIC
    if isinstance(value, list):
        return keys_of(kind, names) is None and form_of(kind, names) is not Form.SET
    return True


def _merge(kind: str, live: Any, config: Any, names: Names) -> Any:
    if isinstance(config, Mapping) and isinstance(live, Mapping) and form_of(kind, names) is Form.GRANULAR:
        result = dict(live)
        for name, value in config.items():
            result[name] = _merge(kind, live[name], value, (*names, name)) if name in live else value
        return result
    if isinstance(config, list) and isinstance(live, list):
        return _merge_lists(kind, live, config, names)
    return config


def _merge_lists(kind: str, live: list[Any], config: list[Any], names: Names) -> list[Any]:
    key = keys_of(kind, names)
    if key is None:
        known = form_of(kind, names) is Form.SET
        return [*live, *(item for item in config if item not in live)] if known else config
    wanted = {item_name(key, item): item for item in config}
    result = []
    for item in live:
        change = wanted.pop(item_name(key, item), None)
        result.append(item if change is None else _merge(kind, item, change, names))
    return [*result, *wanted.values()]


def _without(kind: str, value: Any, path: Path, names: Names) -> Any:
    """A copy of *value* without what lies at *path*, and without maps that this leaves empty."""
    head, rest = path[0], path[1:]
    if isinstance(value, Mapping) and head.startswith("f:"):
        return _without_field(kind, value, head[2:], rest, names)
    if not isinstance(value, list):
        return value
    key = keys_of(kind, names)
    named = [(item_name(key, item) if key else value_name(item), item) for item in value]
    if not rest:
        return [item for name, item in named if name != head]
    return [_without(kind, item, rest, names) if name == head else item for name, item in named]


def _without_field(
    kind: str, value: Mapping[str, Any], name: str, rest: Path, names: Names
) -> dict[str, Any]:
    result = dict(value)
    if name not in result:
        return result
    if not rest:
        del result[name]
        return result
    result[name] = _without(kind, result[name], rest, (*names, name))
    if result[name] in ({}, []):
        del result[name]
    return result
