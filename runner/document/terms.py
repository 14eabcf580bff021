"""What every part of templating speaks of: values, contexts, and what can be wrong with a template."""

from collections.abc import Mapping
from typing import Any, Final

from runner.document.suggest import did_you_mean, quoted

MAX_TEXT: Final = 64 * 1024
NONE: Final = "declare it under vars"

Value = str | int | float | bool
Context = Mapping[str, Any]
"""Variables by name: values, and mappings of values; nothing that could be called."""


class TemplateError(Exception):
    """What is wrong with a template: *needle* is the part of the text to point at."""

    def __init__(self, code: str, message: str, *, needle: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.needle = needle
        self.hint = hint


class UnknownValueError(Exception):
    """The template uses a variable that has no value yet, which is nobody's mistake."""


class Unknown:
    """Stands for the value of a required variable that nobody gave and that has no example."""


UNKNOWN: Final = Unknown()


def is_template(text: str) -> bool:
    """Whether *text* has anything to render, or to refuse."""
    return "{{" in text or "{%" in text or "{#" in text


def as_text(value: Value) -> str:
    """A value inside a longer text, as YAML would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def look_up(container: Any, name: str, source: str) -> Any:
    """The value called *name*. TemplateError naming what there is instead, UnknownValueError."""
    if not isinstance(container, Mapping):
        message = f'"{source}" asks a value for its "{name}", and values have no parts'
        raise TemplateError("RUN203", message, needle=name, hint="filters change values: {{ name | lower }}")
    if name not in container:
        known = sorted(str(key) for key in container)
        hint = did_you_mean(name, known) or (f"known here: {quoted(known)}" if known else NONE)
        raise TemplateError("RUN202", f'"{name}" is not a variable here', needle=name, hint=hint)
    if container[name] is UNKNOWN:
        raise UnknownValueError(name)
    return container[name]
