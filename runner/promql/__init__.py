"""PromQL as Prometheus 3 evaluates it, on floats: values in, values out.

Rule 1: no file, socket, clock or random number; samples come through `Storage`, moments are arguments.
Rule 2: what cannot be evaluated is refused by name; nothing is guessed.
Rule 3: neither a query nor a dump may hang or fill the memory; both are bounded.

Names are imported when they are first used: checking a query needs no evaluator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.promql.answers import (
        Answer,
        Matrix,
        Points,
        Sample,
        Scalar,
        Text,
        Vector,
        format_float,
        to_api,
    )
    from runner.promql.budget import Limits
    from runner.promql.errors import (
        DumpError,
        EvaluationError,
        LimitError,
        ParameterError,
        PromQLError,
        QuerySyntaxError,
        RefusedError,
    )
    from runner.promql.facts import QueryFacts, SelectorFacts, inspect, newest_sample, unknown_metrics
    from runner.promql.labels import Labels, Matcher, MatchOperator
    from runner.promql.openmetrics import parse_openmetrics
    from runner.promql.query import evaluate, evaluate_range
    from runner.promql.storage import STALE, MemorySeries, MemoryStorage, Series, Storage, is_stale

_HOMES = {
    "answers": ("Answer", "Matrix", "Points", "Sample", "Scalar", "Text", "Vector", "format_float", "to_api"),
    "budget": ("Limits",),
    "errors": (
        "DumpError",
        "EvaluationError",
        "LimitError",
        "ParameterError",
        "PromQLError",
        "QuerySyntaxError",
        "RefusedError",
    ),
    "facts": ("QueryFacts", "SelectorFacts", "inspect", "newest_sample", "unknown_metrics"),
    "labels": ("Labels", "MatchOperator", "Matcher"),
    "openmetrics": ("parse_openmetrics",),
    "query": ("evaluate", "evaluate_range"),
    "storage": ("STALE", "MemorySeries", "MemoryStorage", "Series", "Storage", "is_stale"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "STALE",
    "Answer",
    "DumpError",
    "EvaluationError",
    "Labels",
    "LimitError",
    "Limits",
    "MatchOperator",
    "Matcher",
    "Matrix",
    "MemorySeries",
    "MemoryStorage",
    "ParameterError",
    "Points",
    "PromQLError",
    "QueryFacts",
    "QuerySyntaxError",
    "RefusedError",
    "Sample",
    "Scalar",
    "SelectorFacts",
    "Series",
    "Storage",
    "Text",
    "Vector",
    "evaluate",
    "evaluate_range",
    "format_float",
    "inspect",
    "is_stale",
    "newest_sample",
    "parse_openmetrics",
    "to_api",
    "unknown_metrics",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
