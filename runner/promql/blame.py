"""Where a text stops being PromQL: the parser says what, not where.

The longest beginning that some ending completes is looked for; the word after it is to blame.
"""

import re
from collections.abc import Iterator, Sequence

from runner.promql import native
from runner.promql.tokens import Token

_CLOSING = {"(": ")", "{": "}", "[": "]"}
_MIDDLES = (
    "", " a", "a", "1", "5m", "(a)", "(a) a", "(a) (a)", " (a)", "()", '"a"', '="a"', 'a="a"', ',a="a"', ",a",
    ",1", " 5m", " 1", ":5m", '"a",a', 'a,"a","a","a","a"', ',"a","a","a","a"', ',"a","a","a"', ',"a","a"', ',"a"',
)  # fmt: skip
_ENDS = ("", " a", " (a)", "[5m]", "[5m:5m]")
COMPUTING = frozenset(["+", "-", "*", "/", "%", "^", "(", "step", "range", "min_of", "max_of"])
_GRAMMAR = re.compile(
    r"invalid promql query|unclosed|unexpected|no expression|bad number|unterminated|not a valid duration"
)
_QUOTED = re.compile(r"'([^']+)'")


def offset(text: str, tokens: Sequence[Token], message: str) -> int:
    """How many characters stand before the place that *message* of the parser is about."""
    if not _GRAMMAR.search(message):
        return _named(tokens, message)
    viable = _viable(text, tokens)
    return tokens[viable].offset if viable < len(tokens) else len(text.rstrip())


def is_in_duration(tokens: Sequence[Token], at: int) -> bool:
    """Whether the word at offset *at* computes a range, a step or an offset, as Prometheus 3.14 and newer can."""
    before = [token for token in tokens if token.offset < at]
    found = next((token for token in tokens if token.offset == at), None)
    if found is None or not before or found.text not in COMPUTING:
        return False
    in_brackets = sum((token.text == "[") - (token.text == "]") for token in before) > 0
    after_offset = found.text == "(" and "offset" in [token.text for token in before[-2:]]
    return in_brackets or after_offset


def words(tokens: Sequence[Token], message: str, at: int) -> str:
    """*message*, or better words where the parser has none for the place."""
    found = next((token for token in tokens if token.offset == at), None)
    if found is None:
        return "unexpected end of the expression" if "invalid promql query" in message else message
    is_vague = "invalid promql query" in message or "unclosed" in message
    return f'unexpected "{found.text[:60]}"' if is_vague else message


def _named(tokens: Sequence[Token], message: str) -> int:
    quoted = _QUOTED.findall(message)
    return next((token.offset for token in tokens if token.text in quoted), 0)


def _viable(text: str, tokens: Sequence[Token]) -> int:
    """How many words can still become a query; as many words less are viable too, so halving finds it."""
    low, high = 0, len(tokens)
    while low < high:
        middle = (low + high + 1) // 2
        if _completes(text, tokens[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


def _completes(text: str, tokens: Sequence[Token]) -> bool:
    beginning = text[: tokens[-1].end] if tokens else ""
    return any(_is_grammatical(beginning + ending) for ending in _endings(tokens))


def _endings(tokens: Sequence[Token]) -> Iterator[str]:
    open_brackets: list[str] = []
    for token in tokens:
        if token.kind == "symbol" and token.text in _CLOSING:
            open_brackets.append(token.text)
        elif token.kind == "symbol" and token.text in _CLOSING.values() and open_brackets:
            open_brackets.pop()
    closing = "".join(_CLOSING[bracket] for bracket in reversed(open_brackets))
    for middle in _MIDDLES:
        for end in _ENDS:
            yield middle + closing + end


def _is_grammatical(text: str) -> bool:
    try:
        native.parse(text)
    except ValueError as error:
        return not _GRAMMAR.search(str(error))
    return True
