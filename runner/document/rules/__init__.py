"""What a schema cannot say about a playbook: one small function a rule.

A rule yields diagnostics and never raises; it says nothing about parts that the schema has found wrong.
"""

from collections.abc import Callable, Iterator
from typing import Final

from runner.document.draft import Draft
from runner.document.rules import checks, exposure, flow, limits, promql, routes, stages, subsets
from runner.errors import Diagnostic

Rule = Callable[[Draft], Iterator[Diagnostic]]

RULES: Final[tuple[Rule, ...]] = (
    *stages.RULES,
    *routes.RULES,
    *checks.RULES,
    *limits.RULES,
    *promql.RULES,
    *flow.RULES,
    *subsets.RULES,
    *exposure.RULES,
)


def apply_rules(draft: Draft) -> Iterator[Diagnostic]:
    """Everything that the rules have to say about *draft*."""
    for rule in RULES:
        yield from rule(draft)
