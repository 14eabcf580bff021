"""Words that the parser misreads, with others of the same length in their place.

promql-parser 0.12 loses times before 1970, panics on those far ahead, knows neither `1_000` nor `offset 0s`, and
checks patterns by another syntax than RE2's. So it gets a harmless word instead, and the translation takes
the true one, in the order of the text.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from runner.promql.errors import QuerySyntaxError
from runner.promql.tokens import Token

_STAND_INS = {"=~": '"x"', "!~": '""'}  # the parser must see a pattern that counts as a non-empty matcher


@dataclass(frozen=True)
class Reading:
    """A text and its words."""

    text: str
    tokens: Sequence[Token]

    @cached_property
    def times(self) -> tuple[int, ...]:
        """The moments of `@ number`, in milliseconds."""
        return tuple(moment for _, _, moment in self._moments())

    @cached_property
    def patterns(self) -> tuple[Token, ...]:
        """The strings after `=~` and `!~`."""
        return tuple(token for _, token in self._patterns())

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
        for start, end, _ in self._moments():
            yield start, end, "0"
        for start, end in self._zero_offsets():
            yield start, end, ""
        for operator, token in self._patterns():
            if len(token.text) > 2:
                yield token.offset, token.end, _STAND_INS[operator]

    def _moments(self) -> Iterator[tuple[int, int, int]]:
        for index, token in enumerate(self.tokens):
            if token.kind == "symbol" and token.text == "@":
                sign, number = self._signed(index + 1)
                if number is not None:
                    yield self.tokens[index + 1].offset, number.end, _milliseconds(number, sign)

    def _zero_offsets(self) -> Iterator[tuple[int, int]]:
        for index, token in enumerate(self.tokens):
            if token.text == "offset":
                _, number = self._signed(index + 1)
                if number is not None and number.seconds == 0:
                    yield token.offset, number.end

    def _patterns(self) -> Iterator[tuple[str, Token]]:
        for operator, token in zip(self.tokens, self.tokens[1:], strict=False):
            if operator.text in _STAND_INS and token.kind == "string":
                yield operator.text, token

    def _signed(self, index: int) -> tuple[int, Token | None]:
        sign = 1
        if index < len(self.tokens) and self.tokens[index].text in ("+", "-"):
            sign = -1 if self.tokens[index].text == "-" else 1
            index += 1
        found = index < len(self.tokens) and self.tokens[index].kind == "number"
        return sign, self.tokens[index] if found else None


def _milliseconds(number: Token, sign: int) -> int:
    moment = number.seconds * 1000
    if moment >= 2**63:
        raise QuerySyntaxError("timestamp out of bounds for @ modifier", offset=number.offset)
    return sign * math.floor(moment + 0.5)
