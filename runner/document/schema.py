"""Documents held against their schemas: a quick check says yes or no, and jsonschema explains a no."""
# os.path, since pathlib would cost this module, and with it every `validate`, 5 ms
# ruff: noqa: PTH100, PTH112, PTH118, PTH120, PTH123

import json
import os
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple

from runner import __version__
from runner.document.plain import Plain, without_templates
from runner.document.suggest import did_you_mean
from runner.document.tree import Document, Path
from runner.errors import Diagnostic

API_VERSION: Final = "runner/v1"
KINDS: Final = {"Playbook": "playbook", "Scenario": "scenario", "Config": "config"}
MAX_EXPLAINED: Final = 200
"""Departures that are told; whoever wrote more has the rest when these are mended."""
PAYS_FROM: Final = 30
"""Documents of one call from which on the compiled check, dear to import, is the cheaper one."""


def schema_file(name: str) -> str:
    """Where the schema *name* lies: inside an installed package, or beside the source."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "_schemas")
    folder = installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "schemas")
    return os.path.join(folder, f"{name}.v1.schema.json")


@cache
def published(name: str) -> dict[str, Any]:
    """The schema that editors use: a template may stand wherever a value does."""
    with open(schema_file(name), "rb") as stream:
        loaded: dict[str, Any] = json.load(stream)
    return loaded


@cache
def strict(name: str) -> dict[str, Any]:
    """The schema of a rendered document: no templates left."""
    rendered: dict[str, Any] = without_templates(published(name))
    return rendered


class _Gate:
    """Says yes or no to rendered trees: first in Python, and compiled once there are many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self.fits: Callable[[Any], bool] = Plain(published(name)).fits

    def open_for(self, tree: Any) -> bool:
        """Whether *tree* is all that the schema wants."""
        self.asked += 1
        if self.asked == PAYS_FROM:
            from jsonschema_rs import Draft7Validator

            self.fits = Draft7Validator(strict(self.name)).is_valid
        return self.fits(tree)


@cache
def _gate(name: str) -> _Gate:
    return _Gate(name)


@cache
def _explaining(name: str) -> Any:
    from jsonschema import Draft7Validator
    from referencing import Registry

    registry: Any = Registry()  # explicit and empty: nothing is ever fetched
    return Draft7Validator(strict(name), registry=registry)


def check_schema(document: Document, name: str) -> tuple[Diagnostic, ...]:
    """Everything in which *document* departs from the schema *name*, in no order."""
    head = check_head(document, name)
    if head:
        return head
    return tuple(said for departure in departures(document, name, document.tree) for said in departure.said)


class Departure(NamedTuple):
    """A value that is not what the schema wants, and what people are told, unless a rule says it better."""

    path: Path
    said: tuple[Diagnostic, ...]


def departures(
    document: Document, name: str, tree: Any, unknown: Collection[Path] = ()
) -> tuple[Departure, ...]:
    """Where the rendered *tree* of *document* departs from the schema *name*.

    Nothing is said about the values at the paths *unknown* and inside them.
    """
    if not unknown and _gate(name).open_for(tree):
        return ()
    from runner.document.explain import explain

    errors = ((tuple(error.absolute_path), error) for error in _explaining(name).iter_errors(tree))
    told = ((path, error) for path, error in errors if not _inside(path, unknown))
    return tuple(
        Departure(
            path, tuple(islice(explain(document, error), MAX_EXPLAINED)) if number < MAX_EXPLAINED else ()
        )
        for number, (path, error) in enumerate(told)
    )


def fits(name: str, tree: Any) -> bool:
    """Whether *tree*, rendered, is all that the schema *name* wants."""
    return _gate(name).open_for(tree)


def check_head(document: Document, name: str) -> tuple[Diagnostic, ...]:
    """Whether this is a document of the kind *name* at all, and of a version that is known."""
    return tuple(_head(document, name))


def _head(document: Document, name: str) -> Iterator[Diagnostic]:
    tree = document.tree
    kind = next(known for known, schema in KINDS.items() if schema == name)
    if not isinstance(tree, dict):
        hint = f"begin with apiVersion: {API_VERSION} and kind: {kind}"
        yield document.diagnostic("RUN101", f"this is no {kind}: a mapping is expected", hint=hint)
        return
    version, found = tree.get("apiVersion"), tree.get("kind")
    if version != API_VERSION:
        yield _version(document, version)
    elif found != kind:
        yield _kind(document, found, kind)


def _version(document: Document, version: Any) -> Diagnostic:
    if version is None:
        hint = f"begin with apiVersion: {API_VERSION}"
        return document.diagnostic("RUN101", '"apiVersion" is missing', hint=hint)
    reads = f"runner {__version__} reads {API_VERSION}"
    if isinstance(version, str) and version.startswith("runner/v"):
        message = f'apiVersion "{version}" is unknown: {reads}'
        return document.diagnostic("RUN101", message, ("apiVersion",), hint="a newer runner may know it")
    message = f'apiVersion "{version}" is not one of runner\'s: {reads}'
    return document.diagnostic("RUN101", message, ("apiVersion",), hint=f"write apiVersion: {API_VERSION}")


def _kind(document: Document, found: Any, wanted: str) -> Diagnostic:
    if found is None:
        return document.diagnostic("RUN102", '"kind" is missing', hint=f"write kind: {wanted}")
    if isinstance(found, str) and found in KINDS:
        message, hint = f"this is a {found}, and a {wanted} is expected here", _use(found)
    else:
        message = f'kind "{found}" is unknown, expected "{wanted}"'
        hint = did_you_mean(str(found), KINDS) or f"write kind: {wanted}"
    return document.diagnostic("RUN102", message, ("kind",), hint=hint)


def _use(kind: str) -> str:
    return {
        "Scenario": "a scenario goes behind --scenario",
        "Config": "the operator's config is read by itself",
        "Playbook": "a playbook goes in FILE",
    }[kind]


def _inside(path: Path, unknown: Collection[Path]) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in unknown)
