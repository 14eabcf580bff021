"""Compiled patterns, remembered, with their mistakes in the words of queries."""

from functools import lru_cache

from runner.promql.errors import EvaluationError, PromQLError, RefusedError
from runner.promql.re2 import Match, Pattern, PatternError, compile_tree, parse

__all__ = ["Match", "Pattern", "PatternError", "compile_pattern"]


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> Pattern:
    """The pattern of an RE2 text. RefusedError for what is RE2 and not supported, else EvaluationError."""
    try:
        return Pattern(text, compile_tree(parse(text)))
    except PatternError as error:
        raise _explained(text, error) from error


def _explained(text: str, error: PatternError) -> PromQLError:
    message = f'pattern "{text[:60]}": {error}'
    if error.unsupported is not None:
        return RefusedError(message, feature=f"pattern {error.unsupported}")
    return EvaluationError(message)
