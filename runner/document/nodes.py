"""Text to libyaml's nodes, and libyaml's complaints to diagnostics.

Nesting is bounded before libyaml composes, because it recurses on the C stack: 100,000 brackets end the
process.
"""

import re
from functools import cache
from typing import Any, Final

from runner.document.source import PRIVATE, position
from runner.errors import Diagnostic, InvalidDocumentError, Location, RunnerError

MAX_DEPTH: Final = 64
HARMLESS: Final = 200  # far under what the C stack holds, far over what a document needs
BLOCK_PREFIX: Final = re.compile(r"^[ \t?:-]{200}", re.MULTILINE)
BARE_TEMPLATE: Final = re.compile(r"""(?:^|[\s\[,:-])(\{\{[^"'{}]*\}\}[^\s,\]}#]*)""")
PLAIN: Final = "plain"


def compose(text: str, file: str) -> list[Any]:
    """The root nodes of every document in *text*, without those that hold nothing. InvalidDocumentError.

    A plain scalar's tag is `plain`; an explicit tag is kept; everything else has the tag `""`.
    """
    import yaml

    parser = _parser()
    try:
        if _may_be_deep(text):
            _bound_depth(parser, text, file)
        return _roots(parser(text))
    except yaml.YAMLError as error:
        found = _syntax(error, text, file)
    except (RecursionError, MemoryError, ValueError, OverflowError, SystemError) as error:
        found = Diagnostic("RUN004", f"this cannot be read as YAML ({type(error).__name__})", Location(file))
    raise InvalidDocumentError((found,))


@cache
def _parser() -> Any:
    """libyaml's parser without any opinion on what scalars mean."""
    import yaml

    if not yaml.__with_libyaml__:
        raise RunnerError(
            "PyYAML was installed without its C loader; its Python loader reads some documents differently",
            hint="install a wheel of PyYAML: pip install --force-reinstall --only-binary :all: pyyaml",
        )
    from yaml._yaml import CParser

    class Parser(CParser):
        def resolve(self, kind: Any, _value: Any, implicit: Any) -> str:
            return PLAIN if kind is yaml.ScalarNode and implicit[0] else ""

        def descend_resolver(self, _node: Any, _index: Any) -> None:
            """Called by CParser for path resolvers, which nothing here uses."""

        def ascend_resolver(self) -> None:
            """As above."""

    return Parser


def _roots(parser: Any) -> list[Any]:
    found = []
    while parser.check_node():
        node = parser.get_node()
        if node is not None and not (node.id == "scalar" and node.tag == PLAIN and not node.value):
            found.append(node)
    return found


def _may_be_deep(text: str) -> bool:
    """Whether nesting *could* go beyond what is harmless; wrong only on the safe side."""
    return text.count("[") + text.count("{") > HARMLESS or BLOCK_PREFIX.search(text) is not None


def _bound_depth(parser: Any, text: str, file: str) -> None:
    """Walk the events, which costs no stack, and refuse what is nested too deep."""
    import yaml

    events, depth = parser(text), 0
    while events.check_event():
        event = events.get_event()
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            mark = event.start_mark
            raise InvalidDocumentError((too_deep(Location(file, mark.line + 1, mark.column + 1)),))


def too_deep(place: Location) -> Diagnostic:
    """The diagnostic of nesting beyond the limit."""
    return Diagnostic("RUN010", f"this is nested deeper than {MAX_DEPTH} levels", place)


def _syntax(error: Any, text: str, file: str) -> Diagnostic:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML"
    marks = [getattr(error, name, None) for name in ("problem_mark", "context_mark")]
    if "expected ',' or" in problem:
        marks.reverse()  # where the list or mapping begins helps more than where it is missed
    mark = marks[0] or marks[1]
    place = _place(mark, text, file)
    lines = text.splitlines()
    if bare := _bare_template(lines, place.line):
        line, found = bare
        place = Location(file, line, found.start(1) + 1, found.end(1) + 1)
        message, hint = "a template must be quoted: YAML reads {{ as a mapping", f'write "{found[1]}"'
        shown = lines[line - 1] if PRIVATE.search(text) is None else None
        return Diagnostic("RUN008", message, place, hint=hint, source=shown)
    source = lines[place.line - 1] if place.line <= len(lines) else ""
    shown = source if PRIVATE.search(text) is None else None
    return Diagnostic("RUN004", _plainly(problem), place, hint=_advice(problem, source), source=shown)


def _place(mark: Any, text: str, file: str) -> Location:
    if mark is None:
        return Location(file)
    if mark.index >= len(text.rstrip()):  # libyaml stands behind the end: the last line is what people see
        return position(text, max(len(text.rstrip()) - 1, 0), file)
    return Location(file, mark.line + 1, mark.column + 1)


def _bare_template(lines: list[str], line: int) -> tuple[int, re.Match[str]] | None:
    """An unquoted template on the line of the error or the one above, where libyaml loses its way later."""
    for number in (line, line - 1):
        if 0 < number <= len(lines) and (found := BARE_TEMPLATE.search(lines[number - 1])):
            return number, found
    return None


WORDS: Final = (
    ("mapping values are not allowed", 'a ": " stands where no mapping can begin'),
    ("cannot start any token", "this character cannot begin a value"),
    ("did not find expected key", "a key was expected here"),
    ("did not find expected ',' or ']'", 'a list that begins with "[" is not closed'),
    ("did not find expected ',' or '}'", 'a mapping that begins with "{" is not closed'),
    ("did not find expected '-' indicator", 'an item beginning with "- " was expected here'),
    ("unexpected end of stream", "the text ends in the middle of a value"),
    ("undefined alias", "this alias has no anchor before it"),
)


def _plainly(problem: str) -> str:
    return next((words for found, words in WORDS if found in problem), f"not YAML: {problem}")


def _advice(problem: str, source: str) -> str | None:
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return "indent with spaces, never with tabs"
    if "expected ',' or" in problem:
        return 'close it, or quote a value in it that holds ": " or ", "'
    if "mapping values are not allowed" in problem:
        return 'quote a value that holds ": ", or check the indentation of the line'
    if "cannot start any token" in problem:
        return "quote a value that begins with such a character"
    return "check the indentation and the quotes of this line and the one above"
