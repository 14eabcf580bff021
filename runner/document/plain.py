"""The part of JSON Schema draft-07 that our schemas use, as a yes or no: nothing to import, nothing to compile.

Source: draft-handrews-json-schema-validation-01. A keyword that is not known here is refused, never ignored.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

Schema = Mapping[str, Any]
Test = Callable[[Any], bool]

TEMPLATE: Final = {"$ref": "#/definitions/template"}
TEMPLATE_PATTERN: Final = r"\{\{[\s\S]*\}\}"
OR_TEMPLATE: Final = rf"|{TEMPLATE_PATTERN}"

ANNOTATIONS: Final = frozenset(
    {
        "$comment",
        "$id",
        "$schema",
        "default",
        "definitions",
        "description",
        "enumDescriptions",
        "examples",
        "markdownDescription",
        "markdownEnumDescriptions",
        "patternErrorMessage",
        "title",
    }
)
TYPES: Final[Mapping[str, Test]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _number(value) and value == int(value),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


class Plain:
    """A schema in its strict form, in which no template stands for a value."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.tests: dict[int, tuple[Test, ...]] = {}

    def fits(self, value: Any) -> bool:
        """Whether *value* is all that the schema wants."""
        return self._fits(self.root, value)

    def _fits(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        tests = self.tests.get(id(schema))
        if tests is None:
            tests = self.tests[id(schema)] = self._tests(strict_node(schema))
        return all(test(value) for test in tests)

    def _tests(self, schema: Schema) -> tuple[Test, ...]:
        """One test a keyword; those of objects are one together, since they share the keys."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/definitions/")
            return (lambda value: self._fits(self.root["definitions"][name], value),)
        own = [self._test(key, wanted) for key, wanted in schema.items() if key in KEYWORDS]
        strangers = [key for key in schema if not _is_known(key)]
        if strangers:
            raise ValueError(f"the keyword {strangers[0]} is not known here")
        return (*own, self._object(schema)) if OBJECT & schema.keys() else tuple(own)

    def _test(self, key: str, wanted: Any) -> Test:
        return KEYWORDS[key](wanted, self._fits)

    def _object(self, schema: Schema) -> Test:
        properties = schema.get("properties", {})
        patterns = [(re.compile(key), inner) for key, inner in schema.get("patternProperties", {}).items()]
        others = schema.get("additionalProperties", True)

        def test(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for key, inner in value.items():
                named = [properties[key]] if key in properties else []
                named += [schema for pattern, schema in patterns if pattern.search(key)]
                if not all(self._fits(schema, inner) for schema in named or [others]):
                    return False
            return True

        return test


OBJECT: Final = frozenset({"properties", "patternProperties", "additionalProperties"})
Fits = Callable[[Any, Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(wanted: Any, _: Fits) -> Test:
    tests = [TYPES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)]
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _sized(
    kind: type[str] | type[list[Any]] | type[dict[Any, Any]],
) -> Callable[[Callable[[int, int], bool]], Callable[[Any, Fits], Test]]:
    def made(compare: Callable[[int, int], bool]) -> Callable[[Any, Fits], Test]:
        return lambda wanted, _: lambda value: not isinstance(value, kind) or compare(len(value), wanted)

    return made


def _compared(compare: Callable[[float, float], bool]) -> Callable[[Any, Fits], Test]:
    return lambda wanted, _: lambda value: not _number(value) or compare(value, wanted)


def _pattern(wanted: str, _: Fits) -> Test:
    pattern = _regex(wanted)
    return lambda value: not isinstance(value, str) or pattern.search(value) is not None


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _items(wanted: Schema, fits: Fits) -> Test:
    return lambda value: not isinstance(value, list) or all(fits(wanted, item) for item in value)


def _unique(wanted: bool, _: Fits) -> Test:  # noqa: FBT001 - a keyword's value
    def test(value: Any) -> bool:
        if not wanted or not isinstance(value, list):
            return True
        return not any(_same(item, other) for index, item in enumerate(value) for other in value[:index])

    return test


def _required(wanted: list[str], _: Fits) -> Test:
    return lambda value: not isinstance(value, dict) or all(key in value for key in wanted)


def _names(wanted: Schema, fits: Fits) -> Test:
    return lambda value: not isinstance(value, dict) or all(fits(wanted, key) for key in value)


def _dependencies(wanted: Mapping[str, Any], fits: Fits) -> Test:
    def test(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(
            all(key in value for key in needs) if isinstance(needs, list) else fits(needs, value)
            for key, needs in wanted.items()
            if key in value
        )

    return test


KEYWORDS: Final[Mapping[str, Callable[[Any, Fits], Test]]] = {
    "type": _type,
    "enum": lambda wanted, _: lambda value: any(_same(value, one) for one in wanted),
    "const": lambda wanted, _: lambda value: _same(value, wanted),
    "minimum": _compared(lambda value, wanted: value >= wanted),
    "maximum": _compared(lambda value, wanted: value <= wanted),
    "exclusiveMinimum": _compared(lambda value, wanted: value > wanted),
    "exclusiveMaximum": _compared(lambda value, wanted: value < wanted),
    "minLength": _sized(str)(lambda length, wanted: length >= wanted),
    "maxLength": _sized(str)(lambda length, wanted: length <= wanted),
    "minItems": _sized(list)(lambda length, wanted: length >= wanted),
    "maxItems": _sized(list)(lambda length, wanted: length <= wanted),
    "minProperties": _sized(dict)(lambda length, wanted: length >= wanted),
    "maxProperties": _sized(dict)(lambda length, wanted: length <= wanted),
    "pattern": _pattern,
    "items": _items,
    "uniqueItems": _unique,
    "required": _required,
    "propertyNames": _names,
    "dependencies": _dependencies,
    "allOf": lambda wanted, fits: lambda value: all(fits(schema, value) for schema in wanted),
    "anyOf": lambda wanted, fits: lambda value: any(fits(schema, value) for schema in wanted),
    "not": lambda wanted, fits: lambda value: not fits(wanted, value),
}


def _is_known(key: str) -> bool:
    return key in KEYWORDS or key in OBJECT or key in ANNOTATIONS or key.startswith("x-")


def strict_node(schema: Schema) -> Schema:
    """*schema* without the template that may stand for its value; what lies deeper is left alone.

    Three forms let a template in, each undone here: `anyOf` with a reference to the template, a `type` list
    of which `string` is only there for the template's `pattern`, and a `pattern` that ends with the template.
    """
    match schema:
        case {"anyOf": [*others]} if TEMPLATE in others:
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            return {**rest, **next(other for other in others if other != TEMPLATE)}
        case {"pattern": str(pattern), "type": [*types]} if pattern == TEMPLATE_PATTERN:
            kept = [kind for kind in types if kind != "string"]
            rest = {key: value for key, value in schema.items() if key != "pattern"}
            return rest | {"type": kept[0] if len(kept) == 1 else kept}
        case {"pattern": str(pattern)} if pattern.endswith(OR_TEMPLATE):
            return {**schema, "pattern": pattern.removesuffix(OR_TEMPLATE)}
    return schema


def without_templates(schema: Any) -> Any:
    """The whole of *schema* in its strict form."""
    if isinstance(schema, list):
        return [without_templates(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_templates(value) for key, value in strict_node(schema).items()}
