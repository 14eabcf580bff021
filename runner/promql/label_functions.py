"""label_replace and label_join."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runner.promql.errors import EvaluationError
from runner.promql.labels import Labels
from runner.promql.regex import compile_pattern

if TYPE_CHECKING:
    from runner.promql.re2 import Match, Pattern

Point = tuple[Labels, float]

_REFERENCE = re.compile(r"\$(?:(\$)|([^\W]+)|\{([^\W]+)\})")


class Rewrite:
    """A change of labels that is worked out once for each label set."""

    def __init__(self, change: Callable[[Labels], Labels]) -> None:
        self._change = change
        self._changed: dict[Labels, Labels] = {}

    def applied(self, points: Sequence[Point]) -> list[Point]:
        """*points* with changed labels."""
        for labels, _ in points:
            if labels not in self._changed:
                self._changed[labels] = self._change(labels)
        return [(self._changed[labels], value) for labels, value in points]


def joining(target: str, separator: str, *sources: str) -> Callable[[Labels], Labels]:
    """*target* becomes the values of *sources* with *separator* between them."""
    for source in sources:
        _check(source, "invalid source label name in label_join(): ")
    _check(target, "invalid destination label name in label_join(): ")
    return lambda labels: labels.replacing(target, separator.join(map(labels.value, sources)))


def replacing(target: str, replacement: str, source: str, pattern: str) -> Callable[[Labels], Labels]:
    """Where the whole of label *source* matches *pattern*, *target* becomes the expanded *replacement*."""
    compiled = _pattern(pattern)
    _check(target, "invalid destination label name in label_replace(): ")

    def change(labels: Labels) -> Labels:
        found = compiled.match(labels.value(source))
        return labels if found is None else labels.replacing(target, _expand(replacement, found))

    return change


def _pattern(text: str) -> "Pattern":
    try:
        compile_pattern(f"(?s:{text})")  # Prometheus wraps it, which an open \\Q does not survive
        pattern = compile_pattern(text)
    except EvaluationError as error:
        raise EvaluationError(f"invalid regular expression in label_replace(): {text}") from error
    pattern.refill()
    return pattern


def _expand(template: str, found: "Match") -> str:
    """As Go's Regexp.Expand: `$name`, `${name}`, `$$` for a dollar sign; a name is as long as it can be."""

    def referenced(reference: re.Match[str]) -> str:
        return "$" if reference[1] else found.group(reference[2] or reference[3])

    return _REFERENCE.sub(referenced, template)


def _check(name: str, complaint: str) -> None:
    if not name:
        raise EvaluationError(complaint + name)
