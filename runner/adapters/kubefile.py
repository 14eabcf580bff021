"""Kubeconfig files as kubectl merges them: the first file that names something wins.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
(The Python client's own merger lets the *last* file choose the current context.)
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runner.errors import RunnerError

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One named cluster, user or context, and the file that says it."""

    name: str
    body: Mapping[str, Any]
    file: Path

    def text(self, key: str) -> str:
        """The text at *key*; empty where there is none. RunnerError when it is something else."""
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            found = type(value).__name__  # not what it says: an unquoted password of digits is a number
            raise RunnerError(
                f'{self.file}: "{key}" of "{self.name}" must be text, found a value of type {found}'
            )
        if "\0" in value:
            raise RunnerError(
                f'{self.file}: "{key}" of "{self.name}" holds U+0000, which nothing can be named by'
            )
        return value

    def path(self, key: str) -> Path | None:
        """The file named at *key*, relative to the kubeconfig that names it."""
        text = self.text(key)
        return self.file.parent / at_home(text) if text else None

    def mapping(self, key: str) -> Mapping[str, Any]:
        """The mapping at *key*; empty where there is none. RunnerError when it is something else."""
        value = self.body.get(key)
        if isinstance(value, dict | None):
            return value or {}
        raise RunnerError(f'{self.file}: "{key}" of "{self.name}" must be a mapping')

    def items(self, key: str) -> list[Any]:
        """The list at *key*; empty where there is none. RunnerError when it is something else."""
        value = self.body.get(key)
        if isinstance(value, list | None):
            return value or []
        raise RunnerError(f'{self.file}: "{key}" of "{self.name}" must be a list')


@dataclass(frozen=True, slots=True)
class Merged:
    """Everything that the files say together."""

    files: tuple[Path, ...]
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]
    current: str = ""

    def named(self, kind: str, name: str) -> Entry:
        """The context, cluster or user called *name*. RunnerError with what there is instead."""
        entries: Mapping[str, Entry] = getattr(self, f"{kind}s")
        if name in entries:
            return entries[name]
        raise RunnerError(
            f'there is no {kind} "{name}" in {self.where}; it has {listed(entries)}',
            hint=did_you_mean(name, tuple(entries)),
        )

    @property
    def where(self) -> str:
        """The files, for people."""
        return ", ".join(str(file) for file in self.files)


def at_home(text: str) -> Path:
    """The path *text*, whose `~` is somebody's home. RunnerError where this machine knows of none."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise RunnerError(
            f"nobody's home is known for {text.partition('/')[0]}, with which {text} begins",
            hint="write the whole path, or set HOME",
        ) from None


def merge(files: Sequence[Path]) -> Merged:
    """What *files* say together. RunnerError for one that is no kubeconfig."""
    contexts: dict[str, Entry] = {}
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}
    current = ""
    for file in files:
        document = _read(file)
        contexts = _entries(document, file, "context") | contexts
        clusters = _entries(document, file, "cluster") | clusters
        users = _entries(document, file, "user") | users
        current = current or str(document.get("current-context") or "")
    return Merged(tuple(files), contexts, clusters, users, current)


def listed(names: Mapping[str, object]) -> str:
    """The names in order, for a sentence."""
    return ", ".join(f'"{name}"' for name in sorted(names)) or "none"


def did_you_mean(name: str, names: Sequence[str]) -> str | None:
    """A hint at the nearest of *names*, if one is near."""
    near = get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else None


def pem(entry: Entry, key: str) -> str | None:
    """PEM text from ``KEY-data`` (base64), else from the file at ``KEY``; None where neither stands."""
    if data := entry.text(f"{key}-data"):
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise RunnerError(f'{entry.file}: "{key}-data" of "{entry.name}" is not base64 of PEM') from None
    path = entry.path(key)
    try:
        return path.read_text("ascii") if path else None
    except (OSError, UnicodeDecodeError) as error:
        raise RunnerError(f'{entry.file}: "{key}" of "{entry.name}" cannot be read: {error}') from error


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise RunnerError(f"{file} is larger than {MAX_BYTES // 1024**2} MiB: that is no kubeconfig")
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise RunnerError(f"the kubeconfig {file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        line = f":{place.line + 1}:{place.column + 1}" if place else ""
        raise RunnerError(f"the kubeconfig {file}{line} is not YAML") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise RunnerError(f"{file} is no kubeconfig: expected a mapping with clusters, users and contexts")
    return document


def _entries(document: Mapping[str, Any], file: Path, kind: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    items = document.get(f"{kind}s") or []
    if not isinstance(items, list):
        raise RunnerError(f'{file}: "{kind}s" must be a list')
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        body = item.get(kind) if isinstance(item, dict) else None
        if not isinstance(name, str) or not isinstance(body or {}, dict):
            raise RunnerError(f'{file}: every one of "{kind}s" needs a "name" and a "{kind}"')
        found.setdefault(name, Entry(name, body or {}, file))
    return found
