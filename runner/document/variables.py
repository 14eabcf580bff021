"""What the variables of a playbook are: declared defaults, beaten by files, beaten by the command line."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from runner.document.rendering import Rendering
from runner.document.suggest import did_you_mean, quoted
from runner.document.templates import RESERVED
from runner.document.terms import UNKNOWN, Unknown, Value, is_template
from runner.document.tree import Document, Path, at
from runner.document.values import WORDS, Variable, Wrong, fitting, is_scalar, kind_of, matches, read_text
from runner.errors import Diagnostic, Severity, UsageError
from runner.secrecy import keep_secret, sounds_secret


class Given(NamedTuple):
    """What was said from outside: texts of the command line, and files of values; the last file wins.

    Where *lenient*, undeclared variables are left out.
    """

    texts: Mapping[str, str] = MappingProxyType({})
    files: tuple[Document, ...] = ()
    lenient: bool = False


def declared(document: Document) -> tuple[str, ...]:
    """The names under `vars`."""
    found = at(document.tree, ("vars",))
    return tuple(found) if isinstance(found, dict) else ()


def resolve(rendering: Rendering, given: Given, *, examples: bool) -> dict[str, Any]:
    """The value of every variable, in the order of their declarations; UNKNOWN where there is none.

    *examples* stand in for required values that nobody gave. Diagnostics go to *rendering*. UsageError for
    undeclared variables, required ones that are missing, and values of the command line that do not fit.
    """
    document = rendering.document
    if not given.lenient:
        _refuse_undeclared(document, given)
    values: dict[str, Any] = {}
    missing: list[str] = []
    for name in declared(document):
        try:
            values[name] = _value(rendering, name, given, values, examples=examples)
        except MissingError:
            values[name] = UNKNOWN
            missing.append(name)
    keep_variables_secret(values)
    if missing:
        hint = f"give --var {missing[0]}=… or --vars-file FILE"
        raise UsageError(f"{document.file} requires {quoted(missing)}", hint=hint)
    return values


def keep_variables_secret(values: Mapping[str, Any]) -> None:
    """Variables are recorded, and rules warn of one that sounds like a secret; it is not printed all the same."""
    for name, value in values.items():
        if sounds_secret(name) and isinstance(value, str):
            keep_secret(value)


class MissingError(Exception):
    """A required variable has no value."""


def _refuse_undeclared(document: Document, given: Given) -> None:
    known = declared(document)
    said = [(name, "--var") for name in given.texts]
    said += [(name, file.file) for file in given.files for name in file.tree if isinstance(file.tree, dict)]
    for name, source in said:
        if name not in known:
            hint = did_you_mean(name, known) or (f"declared are {quoted(known)}" if known else None)
            raise UsageError(f'{source}: {document.file} declares no variable "{name}"', hint=hint)


def _value(
    rendering: Rendering, name: str, given: Given, context: Mapping[str, Any], *, examples: bool
) -> Any:
    if name in RESERVED:
        message, hint = f'"{name}" has a meaning of its own in templates', "choose another name"
        rendering.add("RUN211", message, ("vars", name), hint)
    variable = _declaration(rendering, name, context)
    if variable is None:
        return UNKNOWN
    if name in given.texts:
        keep_variables_secret({name: given.texts[name]})
        return _from_command_line(variable, given.texts[name])
    for file in reversed(given.files):
        if name in file.tree:
            return _from_file(variable, file, rendering)
    return _from_declaration(rendering, variable, examples=examples)


def _declaration(rendering: Rendering, name: str, context: Mapping[str, Any]) -> Variable | None:
    """The variable as declared, its default rendered; None where the schema has more to say about it."""
    path: Path = ("vars", name)
    said = at(rendering.document.tree, path)
    if isinstance(said, dict):
        return _declared(rendering, name, said, context)
    if isinstance(said, list | None):
        return None
    default = _rendered(rendering, said, context, path)
    return None if default is None else Variable(name, kind_of(default), default, None, None, ())


def _declared(
    rendering: Rendering, name: str, said: Mapping[str, Any], context: Mapping[str, Any]
) -> Variable | None:
    path: Path = ("vars", name)
    default = _rendered(rendering, said.get("default"), context, (*path, "default"))
    if default is None and said.get("required") is not True:
        if "default" not in said:
            message, hint = f'variable "{name}" has no default', "write default: …, or required: true"
            rendering.add("RUN210", message, path, hint)
        return None
    allowed = said.get("enum", ())
    if not isinstance(allowed, list | tuple) or not all(is_scalar(value) for value in allowed):
        return None
    example = said.get("example", allowed[0] if allowed else None)
    kind = said.get("type") or kind_of(next((v for v in (default, example) if v is not None), ""))
    pattern = _pattern(rendering, said.get("pattern"), path)
    known = isinstance(kind, str) and kind in WORDS
    if not known or not isinstance(pattern, str | None) or not is_scalar(example or ""):
        return None
    return Variable(name, kind, default, example, pattern, tuple(allowed))


def _pattern(rendering: Rendering, said: Any, path: Path) -> Any:
    """The pattern, unless it is none, which is told."""
    if isinstance(said, str):
        try:
            matches(said, "")
        except Wrong as error:
            rendering.found.append(rendering.document.diagnostic("RUN206", str(error), (*path, "pattern")))
            return None
    return said


def _rendered(rendering: Rendering, said: Any, context: Mapping[str, Any], path: Path) -> Any:
    if isinstance(said, str) and is_template(said):
        return rendering.leaf(said, context, path)
    return said if is_scalar(said) else None


def _from_command_line(variable: Variable, text: str) -> Value:
    try:
        return fitting(variable, read_text(text, variable.kind))
    except Wrong as error:
        raise UsageError(f"--var {variable.name}={text}: {error}") from None


def _from_file(variable: Variable, file: Document, rendering: Rendering) -> Value | Unknown:
    value = file.tree[variable.name]
    try:
        return fitting(variable, read_text(value, variable.kind) if isinstance(value, str) else value)
    except Wrong as error:
        hint = f'quote it: "{file.written((variable.name,))}"' if variable.kind == "string" else None
        rendering.found.append(file.diagnostic("RUN206", str(error), (variable.name,), hint=hint))
        return UNKNOWN


def _from_declaration(rendering: Rendering, variable: Variable, *, examples: bool) -> Value | Unknown:
    document, path = rendering.document, ("vars", variable.name)
    value, key = variable.default, "default"
    if value is None:
        if not examples:
            raise MissingError
        value, key = variable.example, "example"
    if value is None:
        rendering.found.append(_no_example(document, variable.name))
        return UNKNOWN
    try:
        return fitting(variable, value)
    except Wrong as error:
        place = (*path, key) if document.has((*path, key)) else path
        rendering.found.append(document.diagnostic("RUN206", str(error), place))
        return UNKNOWN


def _no_example(document: Document, name: str) -> Diagnostic:
    message = f'what uses the required variable "{name}" is not checked: it has no example'
    return document.diagnostic(
        "RUN212", message, ("vars", name), on_key=True, hint="write example: …", severity=Severity.WARNING
    )


def unused(document: Document, used: frozenset[str]) -> Iterator[Diagnostic]:
    """A warning for every variable that nothing uses."""
    for name in declared(document):
        if name not in used:
            message = f'nothing uses the variable "{name}"'
            yield document.diagnostic(
                "RUN213", message, ("vars", name), on_key=True, hint="take it out", severity=Severity.WARNING
            )


def read_files(paths: Sequence[str]) -> tuple[Document, ...]:
    """The documents of `--vars-file`. InvalidDocumentError; UsageError where one holds no mapping."""
    from runner.document.load import parse
    from runner.document.places import read_named

    documents = tuple(parse(read_named(path), path) for path in paths)
    for document in documents:
        if not isinstance(document.tree, dict):
            raise UsageError(f"{document.file} holds no variables", hint="write one `name: value` a line")
    return documents
