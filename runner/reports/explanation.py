"""A diagnostic's code, or a field of a document, in words for a terminal."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any, Final

WIDTH: Final = 96
TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
}

Field = Mapping[str, Any]


def explain_code(name: str, title: str, why: str, bad: str, good: str) -> str:
    """What the code *name* means, with the same lines wrong and right."""
    parts = [f"{name}: {title}", textwrap.fill(why, WIDTH)]
    if bad:
        parts.append("wrong:\n" + textwrap.indent(bad.rstrip(), "  "))
    if good:
        parts.append("right:\n" + textwrap.indent(good.rstrip(), "  "))
    return "\n\n".join(parts) + "\n"


def explain_field(path: str, field: Field, inside: Mapping[str, Field]) -> str:
    """What may stand at *path*, and the fields inside it."""
    parts = [f"{path}: {kind_of(field)}", textwrap.fill(field.get("description", ""), WIDTH)]
    facts = [f"{label}  {text}" for label, text in facts_of(field)]
    if facts:
        parts.append("\n".join(facts))
    if inside:
        parts.append("\n".join(_member(name, each, max(map(len, inside))) for name, each in inside.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _member(name: str, field: Field, width: int) -> str:
    """One line, or more that are set in, about a field inside another."""
    text = f"{kind_of(field)}: {field.get('description', '')}"
    return textwrap.fill(
        text, WIDTH, initial_indent=f"  {name:<{width}}  ", subsequent_indent=" " * (width + 4)
    )


def kind_of(field: Field) -> str:
    """The type of a field, as people call it."""
    if "enum" in field or "const" in field:
        values = field.get("enum", [field.get("const")])
        return " or ".join(shown(value) for value in values)
    said = field.get("type", [])
    kinds = [said] if isinstance(said, str) else said
    if field.get("form") and not {"object", "array"} & set(kinds):
        return str(field["form"])
    return " or ".join(TYPES[kind] for kind in kinds) or "value"


def facts_of(field: Field) -> list[tuple[str, str]]:
    """Default, bounds and examples, each with its label."""
    found = []
    if "default" in field:
        found.append(("default", shown(field["default"])))
    for key, label in (("minimum", "at least"), ("maximum", "at most"), ("exclusiveMaximum", "less than")):
        if key in field:
            found.append((label, shown(field[key])))
    if field.get("examples"):
        found.append(("for example", "  or  ".join(shown(example) for example in field["examples"])))
    return found


def shown(value: Any) -> str:
    """A value as it would be written in a document."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
