"""Reads RE2 syntax (https://github.com/google/re2/wiki/Syntax) as Go's regexp package does."""

import re
from dataclasses import dataclass, replace

from runner.promql.re2.characters import (
    ANY,
    ANY_BUT_NEWLINE,
    CATEGORIES,
    PERL,
    POSIX,
    Characters,
    single,
    union,
)

MAX_REPEAT = 1000
MAX_NESTING = 50
MAX_LENGTH = 10_000

_COUNT = re.compile(r"\{(\d{1,9})(,(\d{0,9}))?\}", re.ASCII)
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAMED = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>", re.ASCII)
_CLASS_NAME = re.compile(r"\[:(\^?)([a-z]+):\]")
_CATEGORY = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z_]+)\}|([A-Za-z]))", re.ASCII)
_HEXADECIMAL = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_OCTAL = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")
_SIMPLE = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class PatternError(ValueError):
    """The text is no RE2 pattern, or uses what is not supported (*unsupported* names it)."""

    def __init__(self, message: str, *, unsupported: str | None = None) -> None:
        super().__init__(message)
        self.unsupported = unsupported


@dataclass(frozen=True, slots=True)
class Set:
    """One character out of a set."""

    characters: Characters


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after another; none is the empty text."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first alternative that lets the rest match."""

    alternatives: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """*part* from *least* to *most* times, None for any number; greedy takes more first."""

    part: "Tree"
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group, counted from 1."""

    part: "Tree"
    number: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place: `^` `$` of the text, `m^` `m$` of a line, `b` at a word's edge, `B` not."""

    kind: str


Tree = Set | Sequence | Choice | Repeat | Group | Assertion


@dataclass(frozen=True, slots=True)
class Flags:
    """`(?imsU)`."""

    ignore_case: bool = False
    multiline: bool = False
    dot_newline: bool = False
    ungreedy: bool = False

    def changed(self, on: str, off: str) -> "Flags":
        """The flags after `(?on-off)`."""
        names = {"i": "ignore_case", "m": "multiline", "s": "dot_newline", "U": "ungreedy"}
        changes = {**{names[flag]: True for flag in on}, **{names[flag]: False for flag in off}}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A pattern's tree and the names of its groups, None for those without."""

    tree: Tree
    groups: tuple[str | None, ...]


def parse(text: str) -> Parsed:
    """The tree of *text*, in which a dot is any character; PatternError when it is none."""
    if len(text) > MAX_LENGTH:
        raise PatternError(
            f"the pattern has {len(text):,} characters, at most {MAX_LENGTH:,} are read", unsupported="length"
        )
    reader = _Reader(text)
    tree = reader.choice(Flags(dot_newline=True), 0)
    if not reader.at_end():
        raise PatternError(f"unexpected ): `{text}`")
    return Parsed(tree, tuple(reader.groups))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.groups: list[str | None] = []
        self._flags = Flags()

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def _peek(self, expected: str) -> bool:
        return self.text.startswith(expected, self.position)

    def _take(self, expected: str) -> bool:
        found = self._peek(expected)
        self.position += len(expected) * found
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def choice(self, flags: Flags, depth: int) -> Tree:
        """Alternatives up to a closing parenthesis or the end; flags set inside end with them."""
        if depth > MAX_NESTING:
            raise PatternError("expression nests too deeply", unsupported="nesting")
        self._flags = flags
        alternatives = [self._sequence(depth)]
        while self._take("|"):
            alternatives.append(self._sequence(depth))
        return alternatives[0] if len(alternatives) == 1 else Choice(tuple(alternatives))

    def _sequence(self, depth: int) -> Tree:
        parts: list[Tree] = []
        while not self.at_end() and not self._peek("|") and not self._peek(")"):
            if self._take("\\Q"):
                parts.extend(self._quoted())
                continue
            part = self._atom(depth)
            if part is not None:
                parts.append(self._repeated(part))
            elif parts:  # flags are no part: what follows them repeats the part before
                parts[-1] = self._repeated(parts[-1])
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _quoted(self) -> list[Tree]:
        end = self.text.find("\\E", self.position)
        quoted = self.text[self.position :] if end < 0 else self.text[self.position : end]
        self.position = len(self.text) if end < 0 else end + 2
        literals: list[Tree] = [self._literal(character) for character in quoted]
        if literals:
            literals[-1] = self._repeated(literals[-1])
        return literals

    def _literal(self, character: str) -> Tree:
        return Set(single(character, folded=self._flags.ignore_case))

    def _repeated(self, part: Tree) -> Tree:
        bounds = self._bounds()
        if bounds is None:
            return part
        greedy = not self._take("?")
        start = self.position
        if self._bounds() is not None:
            raise PatternError(
                f"invalid nested repetition operator: `{self.text[start - 1 : self.position]}`"
            )
        least, most = bounds
        repeated = Repeat(part, least, most, greedy is not self._flags.ungreedy)
        if repeats(repeated) > MAX_REPEAT:
            raise PatternError("invalid repeat count: more than 1000 in all")
        return repeated

    def _bounds(self) -> tuple[int, int | None] | None:
        """The bounds of a repetition operator that stands here."""
        for operator, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(operator):
                return bounds
        counted = self._match(_COUNT)
        if counted is None:
            return None
        least = int(counted[1])
        most = least if counted[2] is None else int(counted[3]) if counted[3] else None
        if least > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or most < least)):
            raise PatternError(f"invalid repeat count: `{counted[0]}`")
        return least, most

    def _atom(self, depth: int) -> Tree | None:
        """One part; None where only flags were set."""
        character = self.text[self.position]
        match character:
            case "(":
                return self._group(depth)
            case "[":
                return Set(self._class())
            case ".":
                self.position += 1
                return Set(ANY if self._flags.dot_newline else ANY_BUT_NEWLINE)
            case "^" | "$":
                self.position += 1
                return Assertion("m" * self._flags.multiline + character)
            case "*" | "+" | "?":
                raise PatternError(f"missing argument to repetition operator: `{character}`")
            case "\\":
                return self._escaped()
            case _:
                if _COUNT.match(self.text, self.position):
                    raise PatternError("missing argument to repetition operator: `{`")
                self.position += 1
                return self._literal(character)

    def _group(self, depth: int) -> Tree | None:
        outer = self._flags
        flags = self._match(_FLAGS)
        if flags is not None:
            return self._flagged(flags, outer, depth)
        name = self._match(_NAMED)
        if name is None and self._peek("(?"):
            raise PatternError(
                f"invalid or unsupported Perl syntax: `{self.text[self.position : self.position + 3]}`"
            )
        self.position += name is None
        if name is not None and name[1] in self.groups:
            raise PatternError(f"duplicate capture group name: `{name[1]}`")
        self.groups.append(name[1] if name is not None else None)
        number = len(self.groups)
        return Group(self._closed(outer, outer, depth), number, name[1] if name is not None else None)

    def _flagged(self, flags: re.Match[str], outer: Flags, depth: int) -> Tree | None:
        if flags[3] == ")" and not flags[1] and not flags[2]:
            raise PatternError("missing argument to repetition operator: `?`")
        inner = outer.changed(flags[1], flags[2] or "")
        if flags[3] == ")":
            self._flags = inner
            return None
        return self._closed(inner, outer, depth)

    def _closed(self, inner: Flags, outer: Flags, depth: int) -> Tree:
        part = self.choice(inner, depth + 1)
        if not self._take(")"):
            raise PatternError(f"missing closing ): `{self.text}`")
        self._flags = outer
        return part

    def _escaped(self) -> Tree:
        for text, kind in (("\\A", "^"), ("\\z", "$"), ("\\b", "b"), ("\\B", "B")):
            if self._take(text):
                return Assertion(kind)
        named = self._named_class()
        if named is not None:
            return Set(replace(named, folded=self._flags.ignore_case))
        return self._literal(self._escape())

    def _named_class(self) -> Characters | None:
        """`\\d`, `\\pL` and the like, when one stands here."""
        letter = self.text[self.position + 1 : self.position + 2]
        if letter and letter.lower() in PERL:
            self.position += 2
            return Characters(PERL[letter.lower()], negated=letter.isupper())
        found = self._match(_CATEGORY)
        if found is None:
            return None
        name = found[3] or found[4]
        negated = (found[1] == "P") != bool(found[2])
        if name == "Any":
            return replace(ANY, negated=negated)
        if name not in CATEGORIES:
            raise PatternError(f"Unicode class `{name}` is not supported", unsupported=f"\\p{{{name}}}")
        return Characters(categories=frozenset({name}), negated=negated)

    def _escape(self) -> str:
        """The character of an escape sequence."""
        for pattern, base in ((_HEXADECIMAL, 16), (_OCTAL, 8)):
            found = self._match(pattern)
            if found is not None:
                code = int(found[1] or found[2], base)
                if code > 0x10FFFF:
                    raise PatternError(f"invalid escape sequence: `{found[0]}`")
                return chr(code)
        character = self.text[self.position + 1 : self.position + 2]
        if not character:
            raise PatternError("trailing backslash at end of expression")
        if character not in _SIMPLE and (character.isalnum() or not character.isascii()):
            raise PatternError(f"invalid escape sequence: `\\{character}`")
        self.position += 2
        return _SIMPLE.get(character, character)

    def _class(self) -> Characters:
        start = self.position
        self.position += 1
        negated = self._take("^")
        parts: list[Characters] = []
        while not self._peek("]") or not parts:
            if self.at_end():
                raise PatternError(f"missing closing ]: `{self.text[start:]}`")
            parts.append(self._class_part())
        self.position += 1
        return union(parts, negated=negated, folded=self._flags.ignore_case)

    def _class_part(self) -> Characters:
        posix = self._match(_CLASS_NAME)
        if posix is not None:
            if posix[2] not in POSIX:
                raise PatternError(f"invalid character class range: `{posix[0]}`")
            ignore_case = self._flags.ignore_case
            return Characters(POSIX[posix[2]], negated=bool(posix[1]), folded=ignore_case)
        if self._peek("\\"):
            named = self._named_class()
            if named is not None:
                return replace(named, folded=self._flags.ignore_case)
        low = self._class_character()
        high = low
        if self._peek("-") and not self._peek("-]") and self.position + 1 < len(self.text):
            self.position += 1
            high = self._class_character()
            if high < low:
                raise PatternError(f"invalid character class range: `{low}-{high}`")
        return Characters(((ord(low), ord(high)),))

    def _class_character(self) -> str:
        if self._peek("\\"):
            return self._escape()
        if self.at_end():
            raise PatternError("missing closing ]")
        self.position += 1
        return self.text[self.position - 1]


def repeats(tree: Tree) -> int:
    """How many copies counted repetitions make of the most repeated part."""
    match tree:
        case Set() | Assertion():
            return 1
        case Sequence(parts=parts) | Choice(alternatives=parts):
            return max((repeats(part) for part in parts), default=1)
        case Group(part=part):
            return repeats(part)
        case Repeat(part=part, least=least, most=most):
            return repeats(part) * max(1, least, most or 0)
