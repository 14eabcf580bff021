"""Windows cut so that a query reads nothing older than it may."""

from itertools import pairwise

from runner.promql.errors import PromQLError
from runner.promql.tokens import Token, scan


def shorten(expression: str, longest: float) -> str:
    """*expression* with every range window, or subquery, of more than *longest* seconds cut to it.

    A window never becomes shorter than one second; offsets stay, and so does a text that cannot be read.
    """
    cut = expression
    try:
        tokens = scan(expression)
    except PromQLError:
        return expression
    for bracket, window in reversed(list(pairwise(tokens))):
        if _opens_window(bracket) and window.kind == "number" and window.seconds > longest:
            allowed = f"{max(round(longest * 1000), 1000)}ms"
            cut = cut[: window.offset] + allowed + cut[window.end :]
    return cut


def _opens_window(token: Token) -> bool:
    return token.kind == "symbol" and token.text == "["
