"""Many documents at once: what is wrong with each, whatever its kind."""
# os.path, since pathlib would cost every `validate` 5 ms
# ruff: noqa: PTH112, PTH118

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from runner.collecting import collecting_later
from runner.document.load import parse_all
from runner.document.manifests import Shelf
from runner.document.places import leads_out, read_named, repository
from runner.document.playbook import Wishes, look
from runner.document.schema import API_VERSION, check_schema
from runner.document.source import read_beginning
from runner.document.suggest import did_you_mean, quoted
from runner.document.tree import Document, at, in_file_order
from runner.document.variables import Given, declared, read_files
from runner.errors import Diagnostic, InvalidDocumentError, UsageError

SUFFIXES: Final = (".yaml", ".yml", ".json")
OURS: Final = re.compile(rb"""^\s*\{?\s*["']?apiVersion["']?\s*:\s*["']?runner/""", re.MULTILINE)


class Validation(NamedTuple):
    """What was looked at, and everything that was found."""

    files: tuple[str, ...]
    found: tuple[Diagnostic, ...]


def validate(
    path: str | os.PathLike[str], *, variables: Mapping[str, str] | None = None
) -> tuple[Diagnostic, ...]:
    """Every error and warning of one document, in file order. UsageError for *variables*."""
    return validate_many([path], variables=variables).found


def validate_many(
    paths: Sequence[str | os.PathLike[str]],
    *,
    variables: Mapping[str, str] | None = None,
    variable_files: Sequence[str] = (),
    root: str | None = None,
    allow_secrets: bool = False,
) -> Validation:
    """Every error and warning of the documents at *paths*; a folder is every document of runner in it.

    A variable reaches the playbooks that declare it. UsageError for one that none declares, and for a folder
    without a document.
    """
    given = Given(variables or {}, read_files(variable_files))
    files = [file for path in paths for file in _documents(os.fspath(path))]
    validator = _Validator(Wishes(given, root=root, allow_secrets=allow_secrets, examples=True))
    with collecting_later():
        found = [each for file in dict.fromkeys(files) for each in validator.file(file)]
    validator.refuse_undeclared()
    return Validation(tuple(dict.fromkeys(files)), tuple(found))


class _Validator:
    """Documents of one call: they share manifests, and what was said about variables."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.shelf = Shelf()
        self.declared: set[str] = set()

    def file(self, file: str) -> tuple[Diagnostic, ...]:
        """Everything found in *file*."""
        try:
            document, found = parse_all(read_named(file, self.wishes.root), file)
        except InvalidDocumentError as error:
            return error.diagnostics
        kind = at(document.tree, ("kind",))
        if at(document.tree, ("apiVersion",)) == API_VERSION and kind in ("Scenario", "Config"):
            return in_file_order((*found, *self._other(document)), file)
        return self._playbook(document, found)

    def _playbook(self, document: Document, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
        names = set(declared(document))
        self.declared |= names
        return look(
            document, found, self.wishes._replace(given=_for(names, self.wishes.given)), self.shelf
        ).found

    def _other(self, document: Document) -> tuple[Diagnostic, ...]:
        """What is wrong with a document that is no playbook."""
        if document.tree["kind"] == "Scenario":
            from runner.document.scenario import scenario_of

            return scenario_of(document, repository(document.file, self.wishes.root))[1]
        return check_schema(document, "config")

    def refuse_undeclared(self) -> None:
        """UsageError for a variable that no playbook declares."""
        given = self.wishes.given
        said = [*given.texts, *(name for file in given.files for name in file.tree)]
        for name in said:
            if name not in self.declared:
                hint = did_you_mean(name, self.declared) or self._declared()
                raise UsageError(f'no playbook here declares the variable "{name}"', hint=hint)

    def _declared(self) -> str:
        if not self.declared:
            return "there is no variable to set: leave it out"
        return f"declared are {quoted(self.declared)}"


def _for(names: set[str], given: Given) -> Given:
    """What was said about the variables *names*."""
    return given._replace(
        texts={name: text for name, text in given.texts.items() if name in names}, lenient=True
    )


def _documents(path: str) -> list[str]:
    """The file itself, or every document of runner in a folder. UsageError."""
    if not os.path.isdir(path):
        return [path]
    found = sorted(file for file in _files(path) if _is_ours(file))
    if not found:
        hint = "name a playbook, or a folder with one"
        raise UsageError(f"{path} holds no document whose apiVersion begins with runner/", hint=hint)
    return found


def _files(folder: str) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and name != "node_modules"]
        yield from (os.path.join(here, name) for name in files if name[0] != "." and name.endswith(SUFFIXES))


def _is_ours(file: str) -> bool:
    if leads_out(file):
        return True  # it is not read, and not passed over: that is said of it
    try:
        return OURS.search(read_beginning(file)) is not None
    except InvalidDocumentError:
        return False
