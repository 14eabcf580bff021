"""Jinja2 expressions in the string leaves of a parsed document: sandboxed, strict and bounded.

Text is cut at `{{ }}` here, so there are no statements, no loops and no comments. `{{ name }}` and
`{{ routes.name.stable }}` need no Jinja2 at all, which keeps the common playbook fast.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple

from runner.document.terms import MAX_TEXT, Context, TemplateError, Value, as_text, look_up

MAX_EXPRESSION: Final = 1024
KEYWORDS: Final = frozenset(
    "true false none True False None and or not in is if else recursive import".split()  # noqa: SIM905
)
RESERVED: Final = KEYWORDS | {"routes"}

TOKEN: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\}\}|[{}]|[^'"{}]+|.""", re.DOTALL)
SIMPLE: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*")
STATEMENT: Final = re.compile(r"\{%.*?(?:%\}|$)|\{#.*?#\}", re.DOTALL)


class Expression(NamedTuple):
    """The inside of one `{{ }}`; *path* where it only names a value."""

    source: str
    path: tuple[str, ...] | None


def render(text: str, context: Context) -> Value:
    """*text* with its templates filled in; a text that is one template keeps the type of its value.

    Raises TemplateError, and UnknownValueError where a variable has no value yet.
    """
    parts = split(text)
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return _evaluate(parts[0], context)
    found = "".join(part if isinstance(part, str) else as_text(_evaluate(part, context)) for part in parts)
    if len(found) > MAX_TEXT:
        raise TemplateError("RUN205", f"the text becomes longer than {MAX_TEXT // 1024} KiB")
    return found


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """The variables that the templates in *text* use, as far as they can be read."""
    try:
        parts = split(text)
    except TemplateError:
        return frozenset()
    sources = (part.source for part in parts if isinstance(part, Expression))
    return frozenset(found for source in sources for found in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", source))


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[str | Expression, ...]:
    """*text* cut into literal parts and expressions. TemplateError."""
    if found := STATEMENT.search(text):
        message, hint = "a template has no statements and no comments", "only {{ expressions }} are rendered"
        raise TemplateError("RUN203", message, needle=found[0], hint=hint)
    parts: list[str | Expression] = []
    start = 0
    while (opened := text.find("{{", start)) >= 0:
        closed = _end(text, opened + 2)
        if opened > start:
            parts.append(text[start:opened])
        parts.append(_expression(text[opened + 2 : closed]))
        start = closed + 2
    if start < len(text):
        parts.append(text[start:])
    return tuple(parts)


def _end(text: str, start: int) -> int:
    """Where the `}}` stands that closes an expression; strings and inner braces are passed over."""
    depth = 0
    for token in TOKEN.finditer(text, start):
        match token[0]:
            case "}}" if depth == 0:
                return token.start()
            case "}}":
                depth -= 2
            case "{":
                depth += 1
            case "}":
                depth -= 1
        if depth < 0:
            break
    raise TemplateError("RUN201", 'a "{{" is not closed by "}}"', needle=_line(text[start - 2 :]))


def _line(text: str) -> str:
    return text.split("\n", maxsplit=1)[0]


def _expression(source: str) -> Expression:
    if len(source) > MAX_EXPRESSION:
        message = f"a template is longer than {MAX_EXPRESSION} characters"
        raise TemplateError("RUN205", message, needle=_line(source))
    found = SIMPLE.fullmatch(source)
    if found and found[1] not in KEYWORDS:
        return Expression(source.strip(), (found[1], *found[2].split(".")[1:]))
    return Expression(source.strip(), None)


def _evaluate(expression: Expression, context: Context) -> Value:
    if expression.path is not None:
        return scalar(_follow(expression, context), expression.source)
    from runner.document.expressions import evaluate

    return scalar(evaluate(expression.source, context), expression.source)


def _follow(expression: Expression, context: Context) -> Any:
    found: Any = context
    for part in expression.path or ():
        found = look_up(found, part, expression.source)
    return found


def scalar(value: Any, source: str) -> Value:
    """*value* where it can stand in a document. TemplateError where it cannot."""
    if not isinstance(value, str | int | float):
        hint = "a route has parts: {{ routes.NAME.stable }}" if isinstance(value, Mapping) else None
        raise TemplateError("RUN204", f'"{source}" is no single value', needle=source, hint=hint)
    if isinstance(value, float) and not isfinite(value):
        raise TemplateError("RUN204", f'"{source}" is no finite number', needle=source)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise TemplateError("RUN205", f"the text becomes longer than {MAX_TEXT // 1024} KiB", needle=source)
    return value
