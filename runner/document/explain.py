"""What jsonschema found, in the words of the person who wrote the document."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from runner.document.suggest import closest, did_you_mean, did_you_mean_stage, quoted
from runner.document.tree import Document, Path, at
from runner.errors import Diagnostic

STAGE_LISTS: Final = ("stages", "rollback")
NAMED: Final = {"routes": "route", "checks": "check", "vars": "variable"}
TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def explain(document: Document, error: Any) -> Iterator[Diagnostic]:
    """The diagnostics of one error of jsonschema; none where a rule of our own says it better."""
    of_a_key = "propertyNames" in error.absolute_schema_path
    say = _key_form if of_a_key else EXPLAIN.get(error.validator, _anything_else)
    yield from say(document, error, tuple(error.absolute_path))


def where(tree: Any, path: Path) -> str:
    """The thing at *path* as its author calls it: `shift of stage "to 20"`."""
    match path:
        case ():
            return "the document"
        case (str(top), int(index), *inner) if top in STAGE_LISTS:
            name = at(tree, (top, index, "name"))
            stage = f'stage "{name}"' if isinstance(name, str) else f"stage {index + 1}"
            return _of(inner, stage)
        case (str(top), str(name), *inner) if top in NAMED:
            return _of(inner, f'{NAMED[top]} "{name}"')
        case ("guards", int(index), *inner):
            return _of(inner, f"guard {index + 1}")
        case _:
            return ".".join(str(part) for part in path if isinstance(part, str))


def _is_stage(path: Path) -> bool:
    return len(path) == 2 and path[0] in STAGE_LISTS


def _of(inner: list[Any], owner: str) -> str:
    keys = [part for part in inner if isinstance(part, str)]
    return f"{'.'.join(keys)} of {owner}" if keys else owner


def _unknown_keys(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    known = set(error.schema.get("properties", {}))
    extra = [key for key in error.instance if key not in known and not key.startswith("x-")]
    place, meant = where(document.tree, path), known - set(error.instance)
    suggest = did_you_mean_stage if _is_stage(path) else did_you_mean
    for key in extra:
        expected = f", expected one of {quoted(known)}" if known else ""
        message = f'unknown key "{key}" in {place}{expected}'
        yield document.diagnostic("RUN103", message, (*path, key), on_key=True, hint=suggest(key, meant))


def _missing(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    name = next(key for key in error.validator_value if f"{key!r} is a required" in error.message)
    if closest(name, set(error.instance) - set(error.schema.get("properties", {}))):
        return  # it is there, misspelt, and told as an unknown key
    example = error.schema.get("properties", {}).get(name, {}).get("examples", [None])[0]
    hint = f"for example {name}: {_shown(example)}" if isinstance(example, str | int | float) else None
    message = f'"{name}" is missing in {where(document.tree, path)}'
    yield document.diagnostic("RUN104", message, path, on_key=True, hint=hint)


def _type(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    *most, last = (TYPES[kind] for kind in wanted)
    expected = f"{', '.join(most)} or {last}" if most else last
    message = f"{_noun(path)} is {_kind_of(error.instance)}, expected {expected}"
    yield document.diagnostic("RUN105", message, path, hint=_type_hint(document, error, path, wanted))


def _type_hint(document: Document, error: Any, path: Path, wanted: list[str]) -> str | None:
    scalar = isinstance(error.instance, bool | int | float)
    if not document.quotable:
        return None
    if error.schema.get("title") == "Duration" and type(error.instance) is int:
        return f"seconds are written {error.instance}s"
    if "string" in wanted and scalar and document.has(path):
        return f'quote it: "{document.written(path)}"'
    if "array" in wanted and isinstance(error.instance, str | dict):
        return f"write a list: [{_shown(error.instance)}]" if isinstance(error.instance, str) else None
    if error.instance is None:
        return "write a value behind the colon, or take the key out"
    return _example(error.schema)


def _one_of(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    values = [error.validator_value] if error.validator == "const" else error.validator_value
    names = [str(value) for value in values]
    message = f"{_shown(error.instance)} is not a value of {_noun(path)}, expected one of {quoted(names)}"
    if len(names) == 1:
        message = f'{_noun(path)} is {_shown(error.instance)}, expected "{names[0]}"'
    hint = did_you_mean(str(error.instance), names)
    yield document.diagnostic("RUN106", message, path, hint=hint)


def _form(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    title = error.schema.get("title", "")
    what = f"not {_one(title)}" if title[:1].isupper() else f"no value of {_noun(path)}"
    hint = error.schema.get("patternErrorMessage") or _example(error.schema)
    if hint:
        hint = hint[0].lower() + hint[1:]
    value = f"{_shown(error.instance)}{_made_from(document, error.instance, path)}"
    message = f"{value if document.quotable else _noun(path)} is {what}"
    yield document.diagnostic("RUN107", message, path, hint=hint)


def _made_from(document: Document, value: Any, path: Path) -> str:
    """What a rendered value was written as."""
    said = at(document.tree, path)
    return f", which {said} has become," if isinstance(said, str) and said != value else ""


def _range(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    bound = f"{words[error.validator]} {error.validator_value}"
    message = f"{_noun(path)} is {error.instance}, {bound} is expected"
    yield document.diagnostic("RUN108", message, path)


def _size(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    least = error.validator.startswith("min")
    unit = {"Items": "items", "Length": "characters", "Properties": "keys"}[error.validator[3:]]
    unit = unit.removesuffix("s") if error.validator_value == 1 else unit
    bound = "at least" if least else "at most"
    message = f"{_noun(path)} has {len(error.instance)}, {bound} {error.validator_value} {unit} expected"
    yield document.diagnostic("RUN109", message, path)


def _repeated(document: Document, _error: Any, path: Path) -> Iterator[Diagnostic]:
    yield document.diagnostic("RUN109", f"{_noun(path)} has the same item twice", path)


def _key_form(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    key = str(error.instance)
    hint = error.schema.get("patternErrorMessage")
    message = f'"{key}" is not a name for {_noun(path)}'
    yield document.diagnostic("RUN107", message, (*path, key), on_key=True, hint=hint and _lower(hint))


def _exclusive(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    """Keys that exclude each other: one diagnostic a pair, at the key that was written later."""
    schema_path = list(error.absolute_schema_path)
    if "dependencies" not in schema_path:
        yield from _anything_else(document, error, path)
        return
    later = schema_path[schema_path.index("dependencies") + 1]
    keys = list(error.instance)
    others = {other["required"][0] for other in error.validator_value["anyOf"]}
    first = next(key for key in keys if key in others or key == later)
    if first != later:
        yield _two(document, path, first, later)


def _two(document: Document, path: Path, key: str, later: str) -> Diagnostic:
    place = where(document.tree, path)
    if _is_stage(path):
        message, hint = f'{place} has two kinds, "{key}" and "{later}"', "make a stage of each"
    else:
        message, hint = f'"{key}" and "{later}" exclude each other in {place}', "keep one of the two"
    return document.diagnostic("RUN111", message, (*path, later), on_key=True, hint=hint)


def _least(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    """Of a stage that does nothing a rule says more."""
    if not _is_stage(path):
        yield from _size(document, error, path)


def _anything_else(document: Document, error: Any, path: Path) -> Iterator[Diagnostic]:
    hint = error.schema.get("description")
    yield document.diagnostic("RUN107", f"{_noun(path)} has no form that is known", path, hint=hint)


def _example(schema: Mapping[str, Any]) -> str | None:
    example = next(iter(schema.get("examples", [])), None)
    return f"for example {_shown(example)}" if isinstance(example, str | int | float) else None


def _one(title: str) -> str:
    """A schema's title within a sentence, `a duration`; only names keep their capitals."""
    noun = title if title.startswith(("Kubernetes", "Prometheus")) else _lower(title)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _noun(path: Path) -> str:
    """The last key of *path*; an item of a list is one of it."""
    match path:
        case ():
            return "the document"
        case (*_, str(key)):
            return f'"{key}"'
        case (*_, str(key), int(_)):
            return f'an item of "{key}"'
        case _:
            return "the item"


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case str():
            return f"text ({_shown(value)})"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    return f'"{value if len(value) <= 60 else value[:57] + "..."}"'


Explanation = Callable[[Document, Any, Path], Iterator[Diagnostic]]
EXPLAIN: Final[Mapping[str, Explanation]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "type": _type,
    "enum": _one_of,
    "const": _one_of,
    "pattern": _form,
    "minimum": _range,
    "maximum": _range,
    "exclusiveMinimum": _range,
    "exclusiveMaximum": _range,
    "minItems": _size,
    "maxItems": _size,
    "minLength": _size,
    "maxLength": _size,
    "maxProperties": _size,
    "uniqueItems": _repeated,
    "minProperties": _least,
    "not": _exclusive,
}
