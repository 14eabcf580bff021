"""Words that the parser misreads, with others of the same length in their place.

promql-parser 0.12 loses times before 1970, panics on those far ahead, knows neither `1_000` nor `offset 0s`,
reads a plus before anything, and checks patterns by another syntax than RE2's. So it gets a harmless word
instead, and the translation takes the true one, in the order of the text.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from runner.promql.errors import QuerySyntaxError
from runner.promql.tokens import Token

_STAND_INS = {"=~": '"x"', "!~": '""'}  # the parser must see a pattern that counts as a non-empty matcher
_BEFORE_OPERANDS = frozenset(
    ["(", ",", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=", "bool"]
)


@dataclass(frozen=True)
class Reading:
    """A text and its words."""

    text: str
    tokens: Sequence[Token]

    @cached_property
    def times(self) -> tuple[int, ...]:
        """The moments of `@ number`, in milliseconds."""
        return tuple(_moment(number, sign) for _, number, sign in self._signed("@"))

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The durations of `offset`, in milliseconds."""
        return tuple(sign * _duration(number) for _, number, sign in self._signed("offset"))

    @cached_property
    def patterns(self) -> tuple[Token, ...]:
        """The strings after `=~` and `!~`."""
        return tuple(token for _, token in self._patterns())

    @cached_property
    def signed_text(self) -> str:
        """The safe text with each plus sign before an operand as a minus, which the parser checks."""
        safe = self.safe_text
        for before, token in zip((None, *self.tokens), self.tokens, strict=False):
            if token.text == "+" and (before is None or before.text in _BEFORE_OPERANDS):
                safe = safe[: token.offset] + "-" + safe[token.end :]
        return safe

    @cached_property
    def safe_text(self) -> str:
        """What the parser gets; as long as the text, so that offsets stay true."""
        safe = self.text
        for start, end, word in self._replaced():
            safe = safe[:start] + word.ljust(end - start) + safe[end:]
        return safe

    def _replaced(self) -> Iterator[tuple[int, int, str]]:
        for token in self.tokens:
            if token.kind == "number" and "_" in token.text:
                yield token.offset, token.end, token.text.replace("_", "")
        for modifier in ("@", "offset"):
            for start, number, _ in self._signed(modifier):
                yield start.offset, number.end, "1"
        for operator, token in self._patterns():
            if len(token.text) > 2:
                yield token.offset, token.end, _STAND_INS[operator]

    def _patterns(self) -> Iterator[tuple[str, Token]]:
        for operator, token in zip(self.tokens, self.tokens[1:], strict=False):
            if operator.text in _STAND_INS and token.kind == "string":
                yield operator.text, token

    def _signed(self, modifier: str) -> Iterator[tuple[Token, Token, int]]:
        """Where the number after each *modifier* starts, the number itself, and its sign."""
        for index, token in enumerate(self.tokens):
            following = self.tokens[index + 1 : index + 3]
            if token.text != modifier or token.kind == "string" or not following:
                continue
            has_sign = following[0].text in ("+", "-")
            number = following[-1] if has_sign else following[0]
            if number.kind == "number":
                yield following[0], number, -1 if following[0].text == "-" else 1


def _moment(number: Token, sign: int) -> int:
    moment = number.seconds * 1000
    if moment >= 2**63:
        raise QuerySyntaxError("timestamp out of bounds for @ modifier", offset=number.offset)
    return sign * math.floor(moment + 0.5)


def _duration(number: Token) -> int:
    # Go rounds to nanoseconds and then cuts to milliseconds.
    return round(number.seconds * 1e9) // 1_000_000
