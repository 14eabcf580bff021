"""Regular expressions with RE2's syntax and guarantees, for label values.

Python's `re` differs in syntax and may need exponential time, so matchers do not use it. A pattern is parsed
(`syntax`), compiled to a small program (`program`) and run by an automaton whose time is linear in the text
(`automaton`). What RE2 knows and this does not (Unicode scripts by name) is refused.
"""

from runner.promql.re2.automaton import Match, Pattern
from runner.promql.re2.program import compile_tree
from runner.promql.re2.syntax import PatternError, parse

__all__ = ["Match", "Pattern", "PatternError", "compile_tree", "parse"]
