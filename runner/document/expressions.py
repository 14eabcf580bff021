"""What Jinja2 evaluates: expressions beyond a name, from an allow-list of nodes, filters and tests.

Jinja2's sandbox keeps attributes and calls away; what it does not bound (time, memory, size) is bounded here:
no calls, no loops, no `*` on texts, no powers, and filters that look at sizes first.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.document.suggest import did_you_mean, quoted
from runner.document.terms import MAX_TEXT, Context, TemplateError, UnknownValueError, as_text, look_up

MAX_NODES: Final = 200
LARGEST: Final = 2**53

ALLOWED: Final[frozenset[type]] = frozenset(
    {
        nodes.Add, nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Div,
        nodes.Filter, nodes.FloorDiv, nodes.Getattr, nodes.Getitem, nodes.Keyword, nodes.List, nodes.Mod,
        nodes.Mul, nodes.Name, nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Pos, nodes.Slice,
        nodes.Sub, nodes.Test, nodes.Tuple,
    }
)  # fmt: skip
WORDS: Final[Mapping[type, str]] = {nodes.Call: "calls", nodes.Pow: "powers", nodes.Dict: "mappings"}


def evaluate(source: str, context: Context) -> Any:
    """The value of the expression *source*. TemplateError, and UnknownValueError."""
    expression, used = _compiled(source)
    for name in used:
        look_up(context, name, name)
    try:
        return expression(context)
    except (TemplateError, UnknownValueError):
        raise
    except Exception as error:  # noqa: BLE001 - generated code: whatever it raises is the template's fault
        raise TemplateError("RUN204", f'"{source}" has no value: {error}', needle=source) from None


@lru_cache(maxsize=1024)
def _compiled(source: str) -> tuple[Callable[..., Any], frozenset[str]]:
    """The expression, and the variables that it uses. TemplateError."""
    try:
        tree = _parse(source)
        used = _check(tree, source)
        return ENVIRONMENT.compile_expression(source, undefined_to_none=False), used
    except TemplateSyntaxError as error:
        message = f'"{source}" is no expression: {error.message}'
        raise TemplateError("RUN201", message, needle=source) from None
    except TemplateError:
        raise
    except Exception:  # noqa: BLE001 - RecursionError, SyntaxError and their like, all from nesting
        raise TemplateError("RUN205", "a template is nested too deep", needle=source) from None


def _parse(source: str) -> nodes.Expr:
    parser = Parser(ENVIRONMENT, source, state="variable")
    tree: nodes.Expr = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError(f"nothing was expected before {parser.stream.current.value!r}", 1)
    return tree


def _check(tree: nodes.Node, source: str) -> frozenset[str]:
    """The names of *tree*; TemplateError where it holds anything beyond the allow-list."""
    every = [tree, *tree.find_all(nodes.Node)]
    if len(every) > MAX_NODES:
        raise TemplateError("RUN205", f"a template has more than {MAX_NODES} parts", needle=source)
    for node in every:
        _allow(node, source)
    return frozenset(node.name for node in every if isinstance(node, nodes.Name))


def _allow(node: nodes.Node, source: str) -> None:
    if type(node) not in ALLOWED:
        what = WORDS.get(type(node), type(node).__name__.lower())
        hint = "use a filter: {{ name | lower }}" if isinstance(node, nodes.Call) else None
        raise TemplateError("RUN203", f"a template has no {what}", needle=source, hint=hint)
    match node:
        case nodes.Filter(name=name):
            _known("filter", name, FILTERS)
        case nodes.Test(name=name):
            _known("test", name, TESTS)
        case nodes.Const(value=int() | float() as value) if not abs(value) <= LARGEST:
            raise TemplateError("RUN205", "a number in a template is too large", needle=source)


def _known(what: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        hint = ADVICE.get(name) or did_you_mean(name, known) or f"known here: {quoted(known)}"
        raise TemplateError("RUN203", f'there is no {what} "{name}"', needle=name, hint=hint)


ADVICE: Final = {
    "default": "declare the variable under vars, with its default",
    "d": "declare the variable under vars, with its default",
}


class _Sandbox(ImmutableSandboxedEnvironment):
    """Mappings have parts, values have none, and arithmetic is for numbers of bounded size."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%"])

    def getattr(self, obj: Any, attribute: str) -> Any:
        return look_up(obj, attribute, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return look_up(obj, str(argument), str(argument))
        if not isinstance(obj, str | list | tuple):
            raise TypeError("only lists, texts and routes have items")
        return obj[argument]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not (_is_number(left) and _is_number(right)):
            raise TypeError(f'"{operator}" takes numbers; texts are joined with "~"')
        found = super().call_binop(context, operator, left, right)
        if abs(found) > LARGEST:
            raise ValueError("the number is too large")
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise TypeError("a text is expected")
    return as_text(value)


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if len(text) + text.count(before) * len(after) > MAX_TEXT:
        raise ValueError("the text becomes too long")
    return text.replace(before, after, count)


def _join(values: Any, separator: Any = "") -> str:
    parts, between = [_text(value) for value in _list(values)], _text(separator)
    if sum(map(len, parts)) + len(parts) * len(between) > MAX_TEXT:
        raise ValueError("the text becomes too long")
    return between.join(parts)


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise TypeError("a list is expected")
    return list(values)


def _int(value: Any) -> int:
    if isinstance(value, str) and not value.strip().lstrip("+-").isdecimal():
        raise ValueError(f'"{value[:60]}" is not a whole number')
    return int(value)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f'"{str(value)[:60]}" is not a number') from None


def _round(value: Any, precision: int = 0) -> float:
    return round(_float(value), precision)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "abs": lambda value: abs(_float(value) if isinstance(value, float) else _int(value)),
    "capitalize": lambda value: _text(value).capitalize(),
    "first": lambda values: (values if isinstance(values, str) else _list(values))[0],
    "float": _float,
    "int": _int,
    "join": _join,
    "last": lambda values: (values if isinstance(values, str) else _list(values))[-1],
    "length": lambda values: len(values if isinstance(values, str) else _list(values)),
    "lower": lambda value: _text(value).lower(),
    "max": lambda values: max(_list(values)),
    "min": lambda values: min(_list(values)),
    "replace": _replace,
    "round": _round,
    "split": lambda value, separator=None: _text(value).split(separator),
    "string": _text,
    "title": lambda value: _text(value).title(),
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}
TESTS: Final[dict[str, Callable[..., bool]]] = {
    "even": lambda value: _int(value) % 2 == 0,
    "number": _is_number,
    "odd": lambda value: _int(value) % 2 == 1,
    "string": lambda value: isinstance(value, str),
}


def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False, optimized=False, cache_size=0)
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    environment.tests = dict(TESTS)
    return environment


ENVIRONMENT: Final = _environment()
