"""label_replace and label_join."""

import re
from collections.abc import Sequence

from runner.promql.errors import EvaluationError
from runner.promql.labels import Labels
from runner.promql.regex import Match, Pattern, compile_pattern

Point = tuple[Labels, float]

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


def join(points: Sequence[Point], target: str, separator: str, *sources: str) -> list[Point]:
    """*target* becomes the values of *sources* with *separator* between them."""
    for source in sources:
        _check(source, "invalid source label name in label_join(): ")
    _check(target, "invalid destination label name in label_join(): ")
    return [
        (labels.replacing(target, separator.join(labels.value(source) for source in sources)), value)
        for labels, value in points
    ]


def replace(points: Sequence[Point], target: str, replacement: str, source: str, pattern: str) -> list[Point]:
    """Where the whole of label *source* matches *pattern*, *target* becomes the expanded *replacement*."""
    compiled = _pattern(pattern)
    _check(target, "invalid destination label name in label_replace(): ")
    out: list[Point] = []
    for labels, value in points:
        found = compiled.match(labels.value(source))
        if found is None:
            out.append((labels, value))
            continue
        out.append((labels.replacing(target, _expand(replacement, found)), value))
    return out


def _pattern(text: str) -> Pattern:
    try:
        pattern = compile_pattern(text)
    except EvaluationError as error:
        raise EvaluationError(f"invalid regular expression in label_replace(): {text}") from error
    pattern.refill()
    return pattern


def _expand(template: str, found: Match) -> str:
    def referenced(reference: re.Match[str]) -> str:
        if reference.group(1):
            return "$"
        return found.group(reference.group(2) or reference.group(3))

    return _REFERENCE.sub(referenced, template)


def _check(name: str, complaint: str) -> None:
    if not name:
        raise EvaluationError(complaint + name)
