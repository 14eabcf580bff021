"""The values that a variable may have."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from runner.document.durations import is_duration
from runner.document.rendering import INTEGER, NUMBER, TRUTH
from runner.document.suggest import quoted
from runner.document.terms import Value, as_text

WORDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "duration": "a duration such as 90s or 5m",
}
MAX_PATTERN: Final = 1024 * 1024  # bytes that a compiled pattern may take


class Variable(NamedTuple):
    """One declaration: *default* is None where a value is required."""

    name: str
    kind: str
    default: Value | None
    example: Value | None
    pattern: str | None
    allowed: tuple[Value, ...]


class Wrong(ValueError):  # noqa: N818 - what is wrong with a value, in words; who said it decides what happens
    """Why a value is none of its variable's."""


def read_text(text: str, kind: str) -> Value:
    """The value of *kind* that *text* spells. Wrong where it spells none."""
    if kind in {"string", "duration"}:
        return text
    if kind == "boolean" and text.lower() in TRUTH:
        return TRUTH[text.lower()]
    if kind in {"integer", "number"} and INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and NUMBER.fullmatch(text):
        return float(text)
    raise Wrong(f'"{text}" is not {WORDS[kind]}')


def fitting(variable: Variable, value: Any) -> Value:
    """*value* where it is one of the variable's. Wrong where it is not."""
    if not is_scalar(value) or not _has_kind(value, variable.kind):
        shown = f'"{value}"' if isinstance(value, str) else _shown(value)
        raise Wrong(f"{shown} is not {WORDS[variable.kind]}")
    if variable.allowed and not any(value == one and type(value) is type(one) for one in variable.allowed):
        raise Wrong(f'"{as_text(value)}" is not one of {quoted(as_text(one) for one in variable.allowed)}')
    if variable.pattern is not None and not matches(variable.pattern, as_text(value)):
        raise Wrong(f'"{as_text(value)}" does not match the pattern {variable.pattern}')
    found: Value = value
    return found


def matches(pattern: str, text: str) -> bool:
    """Whether all of *text* matches, in time linear in its length. Wrong where *pattern* is none."""
    found: bool = _matcher(pattern).is_valid(text)
    return found


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Any:
    """A matcher that cannot be made to hang: Rust's regex has no backtracking."""
    from jsonschema_rs import Draft7Validator, RegexOptions, ValidationError

    try:
        return Draft7Validator(
            {"pattern": f"^(?:{pattern})$"}, pattern_options=RegexOptions(size_limit=MAX_PATTERN)
        )
    except (ValidationError, ValueError):
        raise Wrong(f"the pattern {pattern} is no regular expression without look-around") from None


def kind_of(value: Any) -> str:
    """The kind of variable whose default is *value*."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
    return "string"


def _has_kind(value: Any, kind: str) -> bool:
    match kind:
        case "duration":
            return isinstance(value, str) and is_duration(value)
        case "number":
            return kind_of(value) in {"integer", "number"}
    return kind_of(value) == kind


def is_scalar(value: Any) -> bool:
    """Whether *value* can be a variable's."""
    return isinstance(value, str | int | float)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"{as_text(value)}"
