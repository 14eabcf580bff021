"""The words of a query's text, read before the parser sees it.

The parser (promql-parser 0.12) is native code: it overflows its stack on deep nesting, panics on times before
1970 and on durations beyond its range, and tells no positions. So what would hurt it is found here first.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from runner.promql.errors import QuerySyntaxError, RefusedError

MAX_LENGTH = 65_536
MAX_NESTING = 100
MAX_OPERATORS = 400
MAX_SECONDS = 9_223_372_036  # what fits Go's time.Duration, in seconds

UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_536_000}
KEYWORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<number>0[xX][0-9a-fA-F_]+|(?:\d+(?:ms|[smhdwy]))+(?![\w.])|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)
    |(?P<name>[a-zA-Z_][a-zA-Z0-9_:]*|:[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<symbol>=~|!~|==|!=|<=|>=|[-+*/%^=<>@,(){}\[\]:])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_BYTE_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{3}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query; *offset* counts characters from 0."""

    kind: str
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)

    @property
    def seconds(self) -> float:
        """What a number or a duration says, in seconds; QuerySyntaxError when it is out of range."""
        parts = _DURATION.findall(self.text)
        if parts:
            return math.fsum(int(count) * UNIT_SECONDS[unit] for count, unit in parts)
        digits = self.text.replace("_", "")
        value = float(int(digits, 16)) if digits[:2].lower() == "0x" else _plain_number(digits)
        if math.isinf(value):
            raise QuerySyntaxError(f'number "{self.text}" is out of range', offset=self.offset)
        return value


def _plain_number(digits: str) -> float:
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit() and not set(digits) & set("89"):
        return float(int(digits, 8))  # Go reads a leading zero as octal
    return float(digits)


@dataclass(frozen=True)
class Scan:
    """The words of *text*, and the same text with what the parser cannot take replaced by what it can.

    *times* are the moments of `@ number`, in milliseconds and in the order written.
    """

    text: str
    tokens: tuple[Token, ...]

    @cached_property
    def times(self) -> tuple[int, ...]:
        return tuple(moment for _, _, moment in self._moments())

    @cached_property
    def safe_text(self) -> str:
        """As long as the text, so that offsets stay true."""
        safe = self.text
        for token in self.tokens:
            if token.kind == "number" and "_" in token.text:
                safe = _overwrite(safe, token.offset, token.end, token.text.replace("_", ""))
        for start, end, _ in self._moments():
            safe = _overwrite(safe, start, end, "0")
        return safe

    def _moments(self) -> Iterator[tuple[int, int, int]]:
        for index, token in enumerate(self.tokens):
            if token.text != "@" or token.kind != "symbol":
                continue
            sign, number = _signed(self.tokens, index + 1)
            if number is not None:
                yield self.tokens[index + 1].offset, number.end, _milliseconds(number, sign)


def _signed(tokens: tuple[Token, ...], index: int) -> tuple[int, Token | None]:
    sign = 1
    if index < len(tokens) and tokens[index].text in ("+", "-"):
        sign = -1 if tokens[index].text == "-" else 1
        index += 1
    found = index < len(tokens) and tokens[index].kind == "number"
    return sign, tokens[index] if found else None


def _milliseconds(number: Token, sign: int) -> int:
    moment = number.seconds * 1000
    if moment >= 2**63:
        raise QuerySyntaxError("timestamp out of bounds for @ modifier", offset=number.offset)
    return sign * math.floor(moment + 0.5)


def _overwrite(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new.ljust(end - start) + text[end:]


def scan(text: str) -> Scan:
    """The words of *text*. QuerySyntaxError or RefusedError for what the parser would not survive."""
    if len(text) > MAX_LENGTH:
        raise RefusedError(
            f"the expression has {len(text):,} characters, at most {MAX_LENGTH:,} are read", feature="length"
        )
    tokens = tuple(_tokens(text))
    _check_nesting(tokens)
    for before, token in pairwise((Token("start", "", 0), *tokens)):
        _check(before, token)
    return Scan(text, tokens)


def _tokens(text: str) -> Iterator[Token]:
    in_brackets = False
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:  # pragma: no cover - the last alternative takes anything
            return
        token = Token(str(found.lastgroup), found.group(), position)
        if in_brackets and token.kind == "name" and token.text.startswith(":"):
            token = replace(token, kind="symbol", text=":")
        in_brackets = (in_brackets or token.text == "[") and token.text != "]"
        position = token.end
        if token.kind != "space":
            yield token


def _check_nesting(tokens: tuple[Token, ...]) -> None:
    depth = operators = 0
    for token in tokens:
        if token.kind == "symbol" and token.text in "({[":
            depth += 1
        elif token.kind == "symbol" and token.text in ")}]":
            depth -= 1
        elif token.text in KEYWORD_OPERATORS or (token.kind == "symbol" and token.text not in ",:@="):
            operators += 1
        if depth > MAX_NESTING or operators > MAX_OPERATORS:
            raise RefusedError(
                f"the expression nests more than {MAX_NESTING} deep or has more than {MAX_OPERATORS} operators",
                feature="nesting",
            )


def _check(before: Token, token: Token) -> None:
    if token.kind == "number" and token.seconds > MAX_SECONDS and before.text in ("[", ":", "offset", "-", "+"):
        _check_duration(before, token)
    if token.kind == "string":
        _check_string(token)
    if token.kind == "other" and token.text in "\"'`":
        raise QuerySyntaxError("unterminated string", offset=token.offset, hint="close the quote")


def _check_duration(before: Token, token: Token) -> None:
    if before.text in ("[", ":", "offset") or _DURATION.match(token.text):
        raise QuerySyntaxError("duration out of range", offset=token.offset)


def _check_string(token: Token) -> None:
    if token.text[0] == "`":
        return
    for escape in _BYTE_ESCAPE.finditer(token.text):
        digits = escape.group(1)
        code = int(digits[1:], 16) if digits[0] == "x" else int(digits, 8) if digits.isdigit() and len(digits) == 3 else 0
        if code > 0x7F:
            raise RefusedError(
                f"{escape.group()} is a byte that is no character by itself", feature="byte escape", hint="write the character"
            )
