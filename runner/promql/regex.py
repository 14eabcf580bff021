"""Patterns of matchers, remembered, with their mistakes in the words of queries."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from runner.promql.errors import EvaluationError, PromQLError, RefusedError

if TYPE_CHECKING:
    from runner.promql.re2 import Pattern, PatternError

_PLAIN = re.compile(
    r"(?:[A-Za-z0-9_ /:-]|\.(?![*+?{]))*(?:\.[*+])?(?:[A-Za-z0-9_ /:-]|\.(?![*+?{])|\|)*", re.ASCII
)


class Matching(Protocol):
    """Says whether a whole text matches."""

    def matches(self, text: str) -> bool:
        """Whether the whole of *text* matches."""

    def refill(self) -> None:
        """Allow the work of one more query."""


@dataclass(frozen=True, slots=True)
class PlainPattern:
    """Letters, digits, dots, `|`, one `.*` or `.+`: here `re` means what RE2 means, and is quick."""

    compiled: re.Pattern[str]

    def matches(self, text: str) -> bool:
        """Whether the whole of *text* matches."""
        return self.compiled.fullmatch(text) is not None

    def refill(self) -> None:
        """Plain patterns take no work worth counting."""


@lru_cache(maxsize=512)
def compile_matching(text: str) -> Matching:
    """A pattern for matchers. RefusedError for what is RE2 and not supported, else EvaluationError."""
    if _PLAIN.fullmatch(text):
        return PlainPattern(re.compile(text, re.DOTALL))
    return compile_pattern(text)


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> "Pattern":
    """A pattern that can tell its groups. RefusedError and EvaluationError as `compile_matching`."""
    from runner.promql.re2 import Pattern, PatternError, compile_tree, parse

    try:
        return Pattern(text, compile_tree(parse(text)))
    except PatternError as error:
        raise _explained(text, error) from error


def _explained(text: str, error: "PatternError") -> PromQLError:
    message = f'pattern "{text[:60]}": {error}'
    if error.unsupported is not None:
        return RefusedError(message, feature=f"pattern {error.unsupported}")
    return EvaluationError(message)
