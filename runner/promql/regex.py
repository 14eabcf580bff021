"""RE2 patterns, matched against a whole label value."""

import re
from dataclasses import dataclass
from functools import lru_cache

from runner.promql.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    text: str
    compiled: re.Pattern[str]

    def matches(self, value: str) -> bool:
        """Whether the whole of *value* matches."""
        return self.compiled.fullmatch(value) is not None


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> Pattern:
    """The pattern of an RE2 text."""
    try:
        return Pattern(text, re.compile(text, re.DOTALL | re.ASCII))
    except re.error as error:
        raise RefusedError(f'pattern "{text}": {error}', feature="pattern") from error
