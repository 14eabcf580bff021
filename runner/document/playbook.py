"""A playbook from its file to the model, or everything that is wrong with it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runner.document.draft import PLACEHOLDER, Draft
from runner.document.fields import types_at
from runner.document.load import parse_all
from runner.document.manifests import Gathering, Manifests, Shelf, keep_values_secret
from runner.document.places import read_named, repository
from runner.document.rendering import Rendering
from runner.document.rules import apply_rules
from runner.document.schema import check_head, departures, fits
from runner.document.terms import UNKNOWN
from runner.document.tree import Document, Path, at, in_file_order
from runner.document.variables import Given, keep_variables_secret, read_files, resolve, unused
from runner.errors import Diagnostic, InvalidDocumentError, Severity, UsageError

if TYPE_CHECKING:
    from runner.model.playbook import Playbook

SCHEMA: Final = "playbook"
UNRENDERED: Final = frozenset({"$schema", "apiVersion", "kind", "vars", "routes"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """A playbook that is right, and what it was made from.

    *tree* is the rendered document, *manifests* are the objects by stage name, *unresolved* names the routes
    whose stable subset must be read from the live split.
    """

    playbook: "Playbook"
    tree: Mapping[str, Any]
    variables: Mapping[str, Any]
    manifests: Manifests
    warnings: tuple[Diagnostic, ...] = ()
    unresolved: tuple[str, ...] = ()


class Wishes(NamedTuple):
    """How a playbook is to be read.

    *stables* are the stable subsets found live, by route; *examples* stand in for required variables.
    """

    given: Given = Given()
    stables: Mapping[str, str] = MappingProxyType({})
    root: str | None = None
    allow_secrets: bool = False
    examples: bool = False
    namespace: str | None = None


class Reading(NamedTuple):
    """All that one look at a playbook gave; *tree* is None where there was no playbook to look at.

    *incomplete* says that a required variable had neither a value nor an example.
    """

    found: tuple[Diagnostic, ...]
    tree: dict[str, Any] | None = None
    variables: Mapping[str, Any] = MappingProxyType({})
    manifests: Manifests = MappingProxyType({})
    unresolved: tuple[str, ...] = ()
    incomplete: bool = False

    @property
    def wrong(self) -> bool:
        """Whether the playbook cannot be used."""
        return any(each.severity is Severity.ERROR for each in self.found)


def read_playbook(  # noqa: PLR0913 - the ways in which a command line says how a playbook is read
    path: str | os.PathLike[str],
    *,
    variables: Mapping[str, str] | None = None,
    variable_files: Sequence[str] = (),
    stables: Mapping[str, str] | None = None,
    root: str | None = None,
    allow_secrets: bool = False,
    examples: bool = False,
    namespace: str | None = None,
    recorded: bool = False,
) -> Loaded:
    """The playbook in the file *path*. InvalidDocumentError with everything wrong, UsageError for variables.

    *recorded* variables are those of an earlier run: one that is not declared any more is left out, and what
    was allowed then is allowed now.
    """
    file = os.fspath(path)
    given = Given(variables or {}, read_files(variable_files), lenient=recorded)
    wishes = Wishes(given, stables or {}, root, allow_secrets or recorded, examples, namespace)
    document, found = parse_all(read_named(file, root), file)
    return loaded(look(document, found, wishes, Shelf()))


def loaded(reading: Reading) -> Loaded:
    """The playbook of *reading*. InvalidDocumentError."""
    from runner.document.build import build

    if reading.wrong or reading.tree is None:
        raise InvalidDocumentError(reading.found)
    if reading.incomplete:
        raise UsageError("a required variable has no value and no example", hint="give it with --var")
    playbook = build(reading.tree, reading.manifests, PLACEHOLDER)
    return Loaded(
        playbook, reading.tree, reading.variables, reading.manifests, reading.found, reading.unresolved
    )


def rebuild(tree: Mapping[str, Any], variables: Mapping[str, Any], manifests: Manifests) -> "Playbook":
    """The playbook that a state file recorded, from what it recorded; nothing else is read.

    ValueError, KeyError, TypeError or AttributeError where it is none.
    """
    from runner.document.build import build

    if not fits(SCHEMA, tree):
        raise ValueError(SCHEMA)
    keep_variables_secret(variables)
    for each in (each for stage in manifests.values() for each in stage):
        keep_values_secret(each["object"])
    return build(tree, manifests, PLACEHOLDER)


def look(document: Document, found: Sequence[Diagnostic], wishes: Wishes, shelf: Shelf) -> Reading:
    """Everything that can be found out about a playbook, after *found*. UsageError for its variables."""
    head = check_head(document, SCHEMA)
    if head:
        return Reading(in_file_order((*found, *head), document.file))
    reading = _Look(document, wishes, shelf, misread=bool(found)).reading()
    return reading._replace(found=in_file_order(_first_reasons(found, reading.found), document.file))


def _first_reasons(first: Sequence[Diagnostic], later: Sequence[Diagnostic]) -> list[Diagnostic]:
    """A value that could not even be read needs no second complaint."""
    places = {(each.location.line, each.location.column) for each in first}
    return [*first, *(each for each in later if (each.location.line, each.location.column) not in places)]


class _Look:
    """One document on its way through templates, schema, manifests and rules.

    Of one that was *misread*, or that misspells a variable, nobody can say which variables are in use.
    """

    def __init__(self, document: Document, wishes: Wishes, shelf: Shelf, *, misread: bool) -> None:
        self.document = document
        self.wishes = wishes
        self.shelf = shelf
        self.misread = misread
        self.rendering = Rendering(document, lambda path: types_at(SCHEMA, path))
        self.variables = resolve(self.rendering, wishes.given, examples=wishes.examples)
        self.unresolved: list[str] = []
        self.context: dict[str, Any] = {}

    def reading(self) -> Reading:
        """Every diagnostic, in no order."""
        tree = self._rendered()
        departed = departures(self.document, SCHEMA, tree, self.rendering.unknown)
        wrong = {*self.rendering.unknown, *(each.path for each in departed)}
        draft = Draft(self.document, tree, wrong)
        gathering = self._gathering(tree)
        by_stage = {path: gathering.stage(where, body) for path, where, body in _applying(draft)}
        applied = {path[1]: each for path, each in by_stage.items() if path[0] == "stages"}
        draft.manifests.update(applied)
        found = [
            *self.rendering.found,
            *(said for each in departed for said in each.said),
            *gathering.found,
            *apply_rules(draft),
        ]
        if not self.misread and not any(each.code == "RUN202" for each in found):
            found += unused(self.document, frozenset(self.rendering.names | gathering.names))
        if departed and not any(each.severity is Severity.ERROR for each in found):
            path = departed[0].path  # whatever nobody has words for is still no playbook
            found.append(self.document.diagnostic("RUN107", "this is not what the schema allows", path))
        named = {at(tree, (*path, "name")): each for path, each in by_stage.items()}
        incomplete = bool(self.rendering.unknown)
        return Reading(tuple(found), tree, self.variables, named, tuple(self.unresolved), incomplete)

    def _rendered(self) -> dict[str, Any]:
        """The tree with every template filled in: routes first, since everything else may use them."""
        said: dict[str, Any] = self.document.tree
        routes = self.rendering.tree(said.get("routes"), self.variables, ("routes",))
        if isinstance(routes, dict):
            routes = {name: self._with_stable(name, route) for name, route in routes.items()}
        self.context = {**self.variables, "routes": self._route_variables(routes)}
        tree = {
            key: value
            if key in UNRENDERED or key.startswith("x-")
            else self.rendering.tree(value, self.context, (key,))
            for key, value in said.items()
        }
        if "routes" in said:
            tree["routes"] = routes
        if self.wishes.namespace is not None and isinstance(tree.get("target"), dict):
            tree["target"] = {**tree["target"], "namespace": self.wishes.namespace}
        return tree

    def _route_variables(self, routes: Any) -> dict[str, dict[str, Any]]:
        """What `routes.NAME` has in templates."""
        found = routes.items() if isinstance(routes, dict) else ()
        return {
            name: {
                "stable": self._known(("routes", name, "stable"), route.get("stable", PLACEHOLDER)),
                "canary": self._known(("routes", name, "canary"), route.get("canary")),
            }
            for name, route in found
            if isinstance(route, dict)
        }

    def _known(self, path: Path, value: Any) -> Any:
        return UNKNOWN if path in self.rendering.unknown or value is None else value

    def _with_stable(self, name: str, route: Any) -> Any:
        if not isinstance(route, dict) or "stable" in route:
            return route
        if name in self.wishes.stables:
            return {**route, "stable": self.wishes.stables[name]}
        self.unresolved.append(name)
        return route

    def _gathering(self, tree: Mapping[str, Any]) -> Gathering:
        namespace = at(tree, ("target", "namespace"))
        return Gathering(
            self.document,
            repository(self.document.file, self.wishes.root),
            self.shelf,
            self.context,
            namespace if isinstance(namespace, str) else "",
            allow_secrets=self.wishes.allow_secrets,
        )


def _applying(draft: Draft) -> Iterator[tuple[tuple[str, int], Path, Mapping[str, Any]]]:
    """Apply stages that the schema left whole: where the stage and its arguments stand, and the arguments."""
    for stage in (*draft.stages, *draft.rollback):
        if stage.kind == "apply" and stage.sound:
            yield (str(stage.path[0]), int(stage.path[1])), stage.body_path, stage.body
