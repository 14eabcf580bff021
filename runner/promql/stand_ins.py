"""Words that the parser misreads, with others of the same length in their place.

promql-parser 0.12 loses times before 1970, panics on those far ahead, knows neither `1_000` nor `offset 0s`,
reads a plus before anything, and checks patterns by another syntax than RE2's. So it gets a harmless word
instead, and the translation takes the true one, in the order of the text. `anchored` and `smoothed`, which it
does not know, become a matcher that the translation takes out again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from runner.promql.errors import QuerySyntaxError
from runner.promql.tokens import EXTENSIONS, Token

_STAND_INS = {"=~": '"x"', "!~": '""'}  # the parser must see a pattern that counts as a non-empty matcher
EXTENSION = "__extension__"
_OPERATOR_WORDS = frozenset(["and", "or", "unless", "atan2", "bool", "by", "without", "on", "ignoring"])
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

    @cached_property
    def parsed_text(self) -> str:
        """The safe text, longer by the matchers that stand for `anchored` and `smoothed`."""
        parsed = self.safe_text
        for place, matcher in sorted(self._extensions(), reverse=True):
            parsed = parsed[:place] + matcher + parsed[place:]
        return parsed

    def _extensions(self) -> Iterator[tuple[int, str]]:
        """Where a matcher for each extended selector goes, and the matcher."""
        words: dict[int, Token] = {}
        for index in self._extended():
            word = self.tokens[index]
            end = selector_end(self.tokens, index)
            if end is None:
                raise QuerySyntaxError(f"{word.text} modifier must follow a selector", offset=word.offset)
            if words.setdefault(end, word).text != word.text:
                message = "anchored and smoothed modifiers cannot be used together"
                raise QuerySyntaxError(message, offset=word.offset)
        for end, word in words.items():
            yield self._matcher(end, f'{EXTENSION}="{word.text}"')

    def _matcher(self, end: int, matcher: str) -> tuple[int, str]:
        """*matcher* as an addition to the selector whose last word is at *end*."""
        if self.tokens[end].text != "}":
            return self.tokens[end].end, f"{{{matcher}}}"
        comma = "" if self.tokens[end - 1].text in ("{", ",") else ","
        return self.tokens[end].offset, comma + matcher

    def _extended(self) -> Iterator[int]:
        """The places of `anchored` and `smoothed` after something that can be a selector."""
        for index, token in enumerate(self.tokens):
            if token.kind == "name" and token.text in EXTENSIONS and self._follows_operand(index):
                yield index

    def _follows_operand(self, index: int) -> bool:
        before = self.tokens[index - 1] if index else None
        if before is None or before.text in _OPERATOR_WORDS:
            return False
        return before.text in ("]", "}", ")") or before.kind in ("name", "number")

    def _replaced(self) -> Iterator[tuple[int, int, str]]:
        for index in self._extended():
            yield self.tokens[index].offset, self.tokens[index].end, ""
        for token in self.tokens:
            if token.kind == "number" and "_" in token.text:
                yield token.offset, token.end, token.text.replace("_", "")
        for modifier in ("@", "offset"):
            for start, number, _ in self._signed(modifier):
                yield start.offset, number.end, "1" if start is number else " 1"
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
            if token.text != modifier or token.kind == "string":
                continue
            following = self.tokens[index + 1 : index + 3]
            if not following:
                continue
            if not self._follows_operand(index):
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


def selector_end(tokens: Sequence[Token], index: int) -> int | None:
    """The last word of the selector whose modifier stands at *index*, before its range and other modifiers."""
    end = index - 1
    while end >= 0:
        start = _modifier_start(tokens, end)
        if start is None:
            break
        end = start - 1
    if end >= 0 and tokens[end].text == "]":
        opening = _opening(tokens, end, "[", "]")
        if any(token.text == ":" for token in tokens[opening:end]):
            return None
        end = opening - 1
    is_selector = end >= 0 and (tokens[end].text == "}" or tokens[end].kind == "name")
    return end if is_selector else None


def _modifier_start(tokens: Sequence[Token], end: int) -> int | None:
    """Where the modifier begins that ends at *end*."""
    if end > 0 and tokens[end].kind == "name" and tokens[end].text in EXTENSIONS:
        return end
    start = _opening(tokens, end, "(", ")") - 1 if tokens[end].text == ")" else end
    if start > 0 and tokens[start].kind == "number" and tokens[start - 1].text in ("+", "-"):
        start -= 1
    return start - 1 if start > 0 and tokens[start - 1].text in ("offset", "@") else None


def _opening(tokens: Sequence[Token], end: int, opening: str, closing: str) -> int:
    depth = 0
    for index in range(end, -1, -1):
        depth += (tokens[index].text == closing) - (tokens[index].text == opening)
        if depth == 0:
            return index
    return 0
