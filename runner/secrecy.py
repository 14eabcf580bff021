"""What nobody may read: a type for it, and the words of others without it.

Rule 1: a `Secret` shows itself only where `reveal` is called; everything else that a program does with a value
gives dots. Rule 2: making one makes it known to this process, and every sink asks `hide` last, so that an
answer which repeats a credential cannot bring it to a screen, a log or a state file. Nobody has to remember that.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, NamedTuple

DOTS: Final = "•••"
SHORTEST: Final = 6  # characters: a shorter value would be found in half of all words
LINE: Final = 16  # characters from which on a line of a key is a secret by itself
SECRETIVE: Final = re.compile(
    r"pass_?w|secret|token|api_?key|private_?key|credential|authorization|cookie", re.IGNORECASE
)
REFERENCE: Final = re.compile(r"(?:name|ref|file|path|id)$", re.IGNORECASE)

_known: Final[dict[str, None]] = {}
"""Every form of every secret of this process. It only grows: what was a secret stays one when it is replaced."""


class Secret:
    """A text that prints, formats, pickles and serialises as dots."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        keep_secret(text)

    def reveal(self) -> str:
        """The text itself, for whoever sends it."""
        return self._text

    def __repr__(self) -> str:
        return DOTS

    def __format__(self, spec: str) -> str:
        return format(DOTS, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (DOTS,)


def sounds_secret(name: str) -> bool:
    """Whether the value of what is called *name* is likely to be a secret, and not only to say where one is."""
    return bool(SECRETIVE.search(name)) and not REFERENCE.search(name)


def keep_secret(text: str) -> None:
    """Let *text* appear in no output of this process, nor its lines where it has several, in any usual encoding.

    What is shorter than six characters, or only digits, is left alone: it would be found where it does not stand.
    """
    lines = (line for line in text.splitlines() if len(line) >= LINE and not line.startswith("-----"))
    for value in dict.fromkeys((text, text.strip(), *lines)):
        if len(value) >= SHORTEST and not value.isdigit() and value not in _known:
            _known.update(dict.fromkeys(form for form in forms(value) if len(form) >= SHORTEST))


def forms(text: str) -> Iterator[str]:
    """*text* raw, and as JSON, Python, URLs, HTML, Markdown, hexadecimal and base64 write it, wherever it begins."""
    import html
    import json
    from urllib.parse import quote, quote_plus

    raw = text.encode("utf-8", "surrogatepass")
    yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield from (quoted, re.sub("%..", lambda found: found[0].lower(), quoted))
    yield from (html.escape(text), re.sub(r"([\\`*_{}\[\]<>|#~@])", r"\\\1", text))
    yield from (raw.hex(), raw.hex().upper())
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    """The characters that depend on *raw* alone, after nought, one or two bytes of something else (RFC 4648)."""
    from base64 import b64encode, urlsafe_b64encode

    for before, first in ((0, 0), (1, 2), (2, 3)):
        last = (before + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(b"\0" * before + raw).decode()[first:last]


class _Shape(NamedTuple):
    """What betrays a credential that nobody has named: *sign* is in any text that holds one."""

    sign: str
    pattern: str
    shown: str


SHAPES: Final = (
    _Shape("://", r"(://)[^\s/@\"'\\]+@", rf"\1{DOTS}@"),
    _Shape(
        "=",
        r"([?&;][\w.-]*(?:pass_?w\w*|secret|token|api_?key|auth|sig|signature|credential)[\w.-]*=)[^\s&;\"'\\#]+",
        rf"\1{DOTS}",
    ),
    _Shape("earer", r"(bearer[\s:]+)(?=\S*[\d._~+/=-])[\w.~+/=-]{6,}", rf"\1{DOTS}"),
    _Shape("asic", r"(basic[\s:]+)(?-i:(?=\S*[\dA-Z+/=])[A-Za-z0-9+/]{8,}={0,2})", rf"\1{DOTS}"),
    _Shape("eyJ", r"(?-i:eyJ)[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", DOTS),
    _Shape(
        "PRIVATE KEY",
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\w+/=\s\\]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
        rf"\1{DOTS}",
    ),
)
"""User and password in a URL, a parameter of one, the two usual headers, JSON Web Tokens, and PEM keys."""

NAMED: Final = (
    r"""(\b[\w.-]*(?:pass_?w\w*|secret|token|api[_-]?key|private[_-]?key)[\w.-]*["']?\s*[:=]\s*)[^\r\n]+"""
)


@cache
def _compiled(pattern: str) -> Callable[[str, str], str]:
    return re.compile(pattern, re.IGNORECASE).sub


def hide(text: str) -> str:
    """*text* with dots in place of every known secret, and of what has the shape of one."""
    for sign, pattern, shown in SHAPES:
        if sign in text:
            text = _compiled(pattern)(shown, text)
    found = [span for form in _known if form in text for span in _spans(form, text)]
    return _dotted(text, sorted(found)) if found else text


def hide_named(text: str) -> str:
    """As `hide`, and dots from each name that sounds like a secret to the end of its line.

    For words that were not written for others, such as a program's standard error.
    """
    return hide(_compiled(NAMED)(rf"\1{DOTS}", text))


def _spans(form: str, text: str) -> Iterator[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)


def _dotted(text: str, spans: list[tuple[int, int]]) -> str:
    """Spans that overlap become one, so that none leaves the end of another."""
    parts, done = [], 0
    for start, end in spans:
        if start >= done:
            parts += [text[done:start], DOTS]
        done = max(done, end)
    return "".join((*parts, text[done:]))
