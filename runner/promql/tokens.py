"""The words of a query's text, read before the parser sees it.

The parser (promql-parser 0.12) is native code: it overflows its stack on deep nesting and panics on durations
beyond its range. What would hurt it is refused here.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runner.promql.errors import QuerySyntaxError, RefusedError

MAX_LENGTH = 65_536
MAX_NESTING = 100
MAX_OPERATORS = 400
MAX_SECONDS = 9_223_372_036  # what fits Go's time.Duration, in seconds

UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_536_000}
EXTENSIONS = frozenset(["anchored", "smoothed"])
KEYWORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<number>0[xX][0-9a-fA-F_]+|(?:\d+(?:ms|[smhdwy]))+(?![\w.])
        |(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)
    |(?P<name>[a-zA-Z_][a-zA-Z0-9_:]*|:[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<symbol>=~|!~|==|!=|<=|>=|[-+*/%^=<>@,(){}\[\]:])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


class Token(NamedTuple):
    """One word of a query; *offset* counts characters from 0."""

    kind: str
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)

    @property
    def is_duration(self) -> bool:
        """Whether the number carries units."""
        return _DURATION.match(self.text) is not None and not self.text.lower().startswith("0x")

    @property
    def seconds(self) -> float:
        """What a number or a duration says, in seconds; QuerySyntaxError when it is out of range."""
        if self.is_duration:
            parts = _DURATION.findall(self.text)
            return math.fsum(int(count) * UNIT_SECONDS[unit] for count, unit in parts)
        value = _number(self.text.replace("_", ""))
        if math.isinf(value):
            raise QuerySyntaxError(f'number "{self.text}" is out of range', offset=self.offset)
        return value

    @property
    def value(self) -> str:
        """What a quoted string says; QuerySyntaxError or RefusedError for escapes that say nothing."""
        inside = self.text[1:-1]
        if self.text[0] == "`" or "\\" not in inside:
            return inside
        return _ESCAPE.sub(self._unescaped, inside)

    def _unescaped(self, escape: re.Match[str]) -> str:
        code = escape[1]
        if len(code) == 1:
            character = _ESCAPED.get(code) or (code if code == self.text[0] else None)
            if character is None:
                raise QuerySyntaxError(
                    f"unknown escape sequence {escape[0]}", offset=self.offset + 1 + escape.start()
                )
            return character
        number = int(code[1:], 16) if code[0] in "xuU" else int(code, 8)
        if code[0] not in "uU" and number > 0x7F:
            raise RefusedError(
                f"{escape[0]} is a byte that is no character by itself",
                feature="byte escape",
                hint="write the character",
            )
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise QuerySyntaxError(f"{escape[0]} is no character", offset=self.offset + 1 + escape.start())
        return chr(number)


def _number(digits: str) -> float:
    if digits[:2].lower() == "0x":
        return float(int(digits, 16)) if len(digits) < 250 else math.inf
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit() and not set(digits) & set("89"):
        return float(int(digits, 8)) if len(digits) < 300 else math.inf  # Go reads a leading zero as octal
    return float(digits)


def scan(text: str) -> tuple[Token, ...]:
    """The words of *text*. QuerySyntaxError or RefusedError for what the parser would not survive."""
    if len(text) > MAX_LENGTH:
        raise RefusedError(
            f"the expression has {len(text):,} characters, at most {MAX_LENGTH:,} are read", feature="length"
        )
    lone = _LONE_SURROGATE.search(text)
    if lone is not None:
        raise QuerySyntaxError("the text is not UTF-8", offset=lone.start())
    tokens = tuple(_tokens(text))
    _check_nesting(tokens)
    for index, token in enumerate(tokens):
        _check(tokens, index, token)
    return tokens


def _tokens(text: str) -> Iterator[Token]:
    in_brackets = False
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:  # pragma: no cover - the last alternative takes anything
            return
        token = Token(str(found.lastgroup), found.group(), position)
        if in_brackets and token.kind == "name" and token.text.startswith(":"):
            token = token._replace(kind="symbol", text=":")
        in_brackets = (in_brackets or token.text == "[") and token.text != "]"
        position = token.end
        if token.kind != "space":
            yield token


def _check_nesting(tokens: Sequence[Token]) -> None:
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
                f"the expression nests over {MAX_NESTING} deep or has more than {MAX_OPERATORS} operators",
                feature="nesting",
            )


def _check(tokens: Sequence[Token], index: int, token: Token) -> None:
    if (
        token.kind == "number"
        and token.seconds > MAX_SECONDS
        and (token.is_duration or _measures(tokens, index))
    ):
        raise QuerySyntaxError("duration out of range", offset=token.offset)
    if token.text.lower() in ("inf", "nan") and _measures(tokens, index):
        raise QuerySyntaxError("duration out of range", offset=token.offset)
    if token.kind == "string":
        _ = token.value
    if token.kind == "other" and token.text in "\"'`":
        raise QuerySyntaxError("unterminated string", offset=token.offset, hint="close the quote")


def _measures(tokens: Sequence[Token], index: int) -> bool:
    """Whether the number at *index* is a range, a step or an offset."""
    before = [token.text for token in tokens[max(0, index - 4) : index] if token.text not in EXTENSIONS][-2:]
    return before[-1:] in (["["], [":"], ["offset"]) or before in (["offset", "-"], ["offset", "+"])
