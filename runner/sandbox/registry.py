"""The API server's side of objects: versions, owners, defaults, validation. No time passes here."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from runner.errors import ApplyConflictError, ConflictError, FieldConflict, RunnerError
from runner.model.stages import KubeObject
from runner.sandbox.chance import fraction, uuid
from runner.sandbox.defaults import Body, defaulted
from runner.sandbox.kinds import Key, Kind, find
from runner.sandbox.ownership import (
    Fields,
    Path,
    as_managed_fields,
    difference,
    in_words,
    merged,
    owned,
    pruned,
)
from runner.sandbox.validation import denied, invalid, mistyped, unknown_fields

FIRST_VERSION = 1000
GENERATIONS = frozenset({"apps", "batch", "networking.k8s.io", "policy"})
"""Groups whose objects count their changes, as all custom resources do; the others have no generation."""


@dataclass(frozen=True, slots=True, order=True)
class Author:
    """Who writes, and how: what tells one entry of managedFields from another."""

    manager: str
    operation: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """The fields that an author owns, in which version it wrote them, and when last, in milliseconds."""

    fields: Fields
    api_version: str
    at: int


Owners = Mapping[Author, Entry]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object without its managedFields, and who owns what."""

    body: Body
    owners: Owners


Watcher = Callable[[int, Key, Body | None, Body | None], None]
"""Told of every committed change: time in milliseconds, key, old body, new body."""


class Registry:
    """All objects of a cluster. Times are Unix milliseconds."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._objects: dict[Key, Stored] = {}
        self._by_kind: dict[tuple[str, str], dict[Key, Stored]] = {}
        self._version = FIRST_VERSION
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell *watcher* of every change from now on."""
        self._watchers.append(watcher)

    def kind(self, api_version: str, kind: str) -> Kind:
        """The kind as served. RunnerError when the cluster does not know it."""
        group = "apiextensions.k8s.io", "CustomResourceDefinition"
        return find(api_version, kind, (stored.body for stored in self._by_kind.get(group, {}).values()))

    def key(self, manifest: KubeObject) -> Key:
        """Where *manifest* lies. RunnerError when its kind is unknown, or its namespace is missing."""
        kind = self.kind(str(manifest.get("apiVersion", "")), str(manifest.get("kind", "")))
        metadata = manifest.get("metadata") or {}
        namespace = str(metadata.get("namespace") or "") if kind.namespaced else ""
        if kind.namespaced and not namespace:
            raise RunnerError(f"{kind.kind}/{metadata.get('name')} lives in a namespace and names none")
        return Key(kind.group, kind.kind, namespace, str(metadata.get("name") or ""))

    def find(self, key: Key) -> Body | None:
        """The object without its managedFields; not to be changed."""
        stored = self._objects.get(key)
        return stored.body if stored else None

    def all(self, group: str, kind: str, namespace: str = "") -> Iterator[Body]:
        """Objects of a kind in the order of their keys, of all namespaces where *namespace* is empty."""
        for key, stored in sorted(self._by_kind.get((group, kind), {}).items()):
            if not namespace or key.namespace == namespace:
                yield stored.body

    def shown(self, key: Key, api_version: str) -> Body | None:
        """A copy of the object as the API answers it, in *api_version*."""
        stored = self._objects.get(key)
        return _shown(stored, api_version) if stored else None

    def apply(
        self, now: int, manifest: KubeObject, manager: str, *, force: bool = False, dry: bool = False
    ) -> Body:
        """Server-side apply. ApplyConflictError unless *force*; RunnerError where the object is refused."""
        key = self.key(manifest)
        author = Author(manager, "Apply")
        stored = self._objects.get(key)
        config = _without_nulls(dict(manifest))
        self._check_strict(config)
        live: Body = stored.body if stored else {}
        owners = dict(stored.owners) if stored else {}
        entry = Entry(owned(config), str(manifest["apiVersion"]), now)
        last = owners.pop(author, None)
        body = merged(live, {name: value for name, value in config.items() if name != "status"})
        if last is not None:
            kept = entry.fields.union(*(other.fields for other in owners.values()))
            body = pruned(body, last.fields - entry.fields, kept)
        owners = _disowned(live, body, owners, force=force)
        return self._write(now, key, stored, body, {**owners, author: entry}, dry=dry)

    def create(self, now: int, manifest: KubeObject, manager: str) -> Body:
        """POST. ConflictError where the object exists."""
        key = self.key(manifest)
        if key in self._objects:
            plural = self.kind(str(manifest["apiVersion"]), key.kind).plural
            group = f".{key.group}" if key.group else ""
            raise ConflictError(f'{plural}{group} "{key.name}" already exists')
        return self._put(now, key, manifest, manager)

    def update(self, now: int, changed: KubeObject, manager: str) -> Body:
        """PUT. ConflictError where the object is gone, another one, or newer than *changed*."""
        key = self.key(changed)
        stored = self._objects.get(key)
        if stored is None:
            raise ConflictError("it has been deleted")
        _check_current(key, stored.body["metadata"], changed.get("metadata") or {})
        return self._put(now, key, changed, manager)

    def set_status(
        self, now: int, key: Key, status: Body, manager: str, annotations: Mapping[str, str]
    ) -> None:
        """A controller writes the status, and may annotate."""
        stored = self._objects[key]
        metadata = stored.body["metadata"]
        if annotations:
            metadata = metadata | {"annotations": (metadata.get("annotations") or {}) | dict(annotations)}
        body = stored.body | {"metadata": metadata, "status": status}
        if body == stored.body:
            return
        paths: set[Path] = {("f:status", f"f:{name}") for name in status}
        paths |= {("f:metadata", "f:annotations", f"f:{name}") for name in annotations}
        author = Author(manager, "Update", "status")
        entry = Entry(frozenset(paths), str(body["apiVersion"]), now)
        self._commit(
            now, key, stored, Stored(_versioned(body, self._next()), {**stored.owners, author: entry})
        )

    def delete(self, now: int, key: Key) -> None:
        """Remove the object, at once; nothing happens where there is none."""
        stored = self._objects.get(key)
        if stored is not None:
            self._next()
            self._commit(now, key, stored, None)

    def _put(self, now: int, key: Key, manifest: KubeObject, manager: str) -> Body:
        stored = self._objects.get(key)
        live: Body = stored.body if stored else {}
        body = _without_nulls(dict(manifest))
        self._check_strict(body)
        body["metadata"] = {**body["metadata"]}
        body["metadata"].pop("managedFields", None)
        body = _keeping_identity(live, defaulted(body, lambda: self._address(key)))
        owners = dict(stored.owners) if stored else {}
        author = Author(manager, "Update")
        mine = owners.pop(author, Entry(frozenset(), "", now))
        change = difference(live, body)
        owners = _disowned(live, body, owners, force=True)
        fields = (
            frozenset(path for path in mine.fields if not _touched(path, change.removed)) | change.changed
        )
        if fields:
            touched = bool(change.changed or change.removed)
            owners[author] = Entry(fields, str(manifest["apiVersion"]), now if touched else mine.at)
        return self._write(now, key, stored, body, owners, dry=False)

    def _write(
        self, now: int, key: Key, stored: Stored | None, body: Body, owners: Owners, *, dry: bool
    ) -> Body:
        api_version = str(body["apiVersion"])
        body = defaulted(
            body | {"apiVersion": self.kind(api_version, key.kind).api_version}, lambda: self._address(key)
        )
        live = stored.body if stored else None
        self._check(key, live, body)
        body = self._identified(now, key, live, body)
        if stored and _same(stored.body, body) and _fields(stored.owners) == _fields(owners):
            return _shown(stored, api_version)
        version = self._version + 1 if dry else self._next()
        result = Stored(_versioned(body, version), owners)
        if not dry:
            self._commit(now, key, stored, result)
        return _shown(result, api_version)

    def _check(self, key: Key, live: Body | None, body: Body) -> None:
        if live is None and key.namespace:
            self._check_namespace(key)
        if problem := invalid(key, live, body) or denied(body):
            raise RunnerError(
                problem, hint="the cluster's own checks refuse this object; change the manifest"
            )

    def _check_strict(self, body: Body) -> None:
        if names := unknown_fields(body):
            listed = ", ".join(f'unknown field "{name}"' for name in names)
            raise RunnerError(f"strict decoding error: {listed}", hint="a field of the manifest is misspelt")
        if problem := mistyped(body):
            hint = "a field of the manifest is misspelt, or its value is of another type"
            raise RunnerError(problem, hint=hint)

    def _check_namespace(self, key: Key) -> None:
        name = key.namespace
        namespace = self.find(Key("", "Namespace", "", name))
        if namespace is None:
            word = shlex.quote(name)
            hint = (
                f"kubectl create namespace {word} && kubectl label namespace {word} istio-injection=enabled"
            )
            raise RunnerError(f'namespaces "{name}" not found', hint=hint)
        if namespace["status"]["phase"] == "Terminating":
            raise RunnerError(
                f"unable to create new content in namespace {name} because it is being terminated",
                hint=f"namespace {name} is being deleted; wait until it is gone, then create it again",
            )

    def _identified(self, now: int, key: Key, live: Body | None, body: Body) -> Body:
        metadata = {**body["metadata"], "name": key.name}
        metadata.pop("namespace", None)
        if key.namespace:
            metadata["namespace"] = key.namespace
        known = live["metadata"] if live else {}
        metadata["uid"] = known.get("uid") or uuid(self._seed, str(key), key.namespace, self._version)
        metadata["creationTimestamp"] = known.get("creationTimestamp") or timestamp(now)
        metadata.pop("generation", None)
        if key.group in GENERATIONS or "." in key.group.removesuffix(".k8s.io"):
            same = live and {**live, "metadata": 0, "status": 0} == {**body, "metadata": 0, "status": 0}
            metadata["generation"] = known.get("generation", 0) + (not same)
        return {**body, "metadata": metadata}

    def _address(self, key: Key) -> str:
        number = int(fraction(self._seed, "address", key.namespace, key.name) * 65024)
        return f"10.96.{number // 254}.{number % 254 + 1}"

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _commit(self, now: int, key: Key, old: Stored | None, new: Stored | None) -> None:
        shelf = self._by_kind.setdefault((key.group, key.kind), {})
        if new is None:
            del self._objects[key]
            del shelf[key]
        else:
            self._objects[key] = shelf[key] = new
        for watcher in self._watchers:
            watcher(now, key, old.body if old else None, new.body if new else None)


def timestamp(at: int) -> str:
    """Milliseconds as Kubernetes writes times: whole seconds, UTC."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _disowned(live: Body, body: Body, owners: Owners, *, force: bool) -> dict[Author, Entry]:
    """*owners* without the fields that change from *live* to *body*; ApplyConflictError unless *force*."""
    change = difference(live, body)
    conflicts = {author: entry.fields & change.changed for author, entry in owners.items()}
    if not force and any(conflicts.values()):
        raise _apply_conflict({author: fields for author, fields in conflicts.items() if fields}, owners)
    result = {}
    for author, entry in owners.items():
        fields = frozenset(
            path for path in entry.fields - conflicts[author] if not _touched(path, change.removed)
        )
        if fields or not entry.fields:
            result[author] = replace(entry, fields=fields)
    return result


def _touched(path: tuple[str, ...], removed: set[tuple[str, ...]]) -> bool:
    return bool(removed) and any(path[:length] in removed for length in range(1, len(path) + 1))


def _apply_conflict(conflicts: Mapping[Author, Fields], owners: Owners) -> ApplyConflictError:
    found = tuple(
        FieldConflict(author.manager, author.operation, in_words(path))
        for author, fields in sorted(conflicts.items())
        for path in sorted(fields)
    )
    said = []
    for author in sorted(conflicts):
        written = f" using {owners[author].api_version}" if author.operation == "Update" else ""
        fields = ", ".join(in_words(path) for path in sorted(conflicts[author]))
        said.append(f'with "{author.manager}"{written}: {fields}')
    plural = "conflict" if len(found) == 1 else "conflicts"
    return ApplyConflictError(f"Apply failed with {len(found)} {plural}: conflict {'; '.join(said)}", found)


def _check_current(key: Key, live: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    version = changed.get("resourceVersion")
    if not version:
        raise RunnerError(f"cannot replace {key}: it carries no resourceVersion, so nothing guards the write")
    if changed.get("uid") not in (None, live["uid"]):
        raise ConflictError(f"the UID in the precondition is {changed['uid']}, the object's is {live['uid']}")
    if version != live["resourceVersion"]:
        raise ConflictError(
            "the object has been modified; please apply your changes to the latest version and try again"
        )


def _keeping_identity(live: Body, body: Body) -> Body:
    """A write to the object itself leaves its status alone."""
    kept = {"status": live["status"]} if "status" in live else {}
    if not live and body.get("kind") == "Namespace":
        kept = {"status": body["status"]}
    return {name: value for name, value in body.items() if name != "status"} | kept


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


def _same(old: Body, new: Body) -> bool:
    return _versioned(old, 0) == _versioned(new, 0)


def _fields(owners: Owners) -> Mapping[Author, Fields]:
    return {author: entry.fields for author, entry in owners.items()}


def _versioned(body: Body, version: int) -> Body:
    return body | {"metadata": body["metadata"] | {"resourceVersion": str(version)}}


def _shown(stored: Stored, api_version: str) -> Body:
    body: Body = json.loads(json.dumps(stored.body))
    managed = [_entry(author, entry) for author, entry in stored.owners.items()]
    managed.sort(key=lambda entry: (entry["operation"] != "Apply", entry["time"], entry["manager"]))
    return (
        {"apiVersion": api_version, "kind": body["kind"]}
        | body
        | {
            "apiVersion": api_version,
            "metadata": body["metadata"] | ({"managedFields": managed} if managed else {}),
        }
    )


def _entry(author: Author, entry: Entry) -> Body:
    return {
        "manager": author.manager,
        "operation": author.operation,
        "apiVersion": entry.api_version,
        "time": timestamp(entry.at),
        "fieldsType": "FieldsV1",
        "fieldsV1": as_managed_fields(entry.fields),
    } | ({"subresource": author.subresource} if author.subresource else {})
