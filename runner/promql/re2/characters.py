"""Sets of characters, as a class in a pattern names them."""

import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

PERL: dict[str, Ranges] = {
    "d": ((0x30, 0x39),),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
}
POSIX: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": ((0x30, 0x39),),
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
CATEGORIES = frozenset(
    [
        "C",
        "Cc",
        "Cf",
        "Co",
        "Cs",
        "L",
        "Ll",
        "Lm",
        "Lo",
        "Lt",
        "Lu",
        "M",
        "Mc",
        "Me",
        "Mn",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Pe",
        "Pf",
        "Pi",
        "Po",
        "Ps",
        "S",
        "Sc",
        "Sk",
        "Sm",
        "So",
        "Z",
        "Zl",
        "Zp",
        "Zs",
    ]
)
_DOTLESS_I = "\u0131"  # upper-cases to I, yet folds with nothing
_THIRD_CASES = (
    "\u00b5\u017f\u01c5\u01c8\u01cb\u01f2\u0345\u03c2\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f4\u03f5\u1c80\u1c81\u1c82"
    "\u1c83\u1c84\u1c85\u1c86\u1c87\u1c88\u1e9b\u1e9e\u1fbc\u1fbe\u1fcc\u1ffc\u2126\u212a\u212b"
    + "".join(chr(start + step) for start in (0x1F88, 0x1F98, 0x1FA8) for step in range(8))
)
"""Letters that fold with a pair of cases without being one of it (Unicode 15, CaseFolding.txt)."""


@dataclass(frozen=True, slots=True)
class Characters:
    """Ranges of code points and Unicode categories, or everything else; *folded* ignores case."""

    ranges: Ranges = ()
    categories: frozenset[str] = frozenset()
    excluded: tuple["Characters", ...] = ()
    negated: bool = False
    folded: bool = False

    def __contains__(self, character: object) -> bool:
        return isinstance(character, str) and _contains(self, character)

    def holds(self, character: str) -> bool:
        """Whether the class as written, before negation and case folding, has *character*."""
        code = ord(character)
        if any(low <= code <= high for low, high in self.ranges):
            return True
        if self.categories:
            category = unicodedata.category(character)
            if category in self.categories or category[0] in self.categories:
                return True
        return any(character in part for part in self.excluded)


@lru_cache(maxsize=65_536)
def _contains(characters: Characters, character: str) -> bool:
    spellings = cases(character) if characters.folded else (character,)
    return any(characters.holds(spelling) for spelling in spellings) is not characters.negated


@lru_cache(maxsize=4096)
def cases(character: str) -> tuple[str, ...]:
    """*character* and its other cases, by Unicode's simple folding."""
    if character == _DOTLESS_I:
        return (character,)
    folded = _folded(character)
    forms = (
        character,
        folded,
        folded.upper(),
        *(third for third in _THIRD_CASES if _folded(third) == folded),
    )
    return tuple(dict.fromkeys(form for form in forms if len(form) == 1))


def _folded(character: str) -> str:
    upper = character.upper()
    lower = (upper if len(upper) == 1 else character).lower()
    return lower if len(lower) == 1 else character


def union(parts: Iterable[Characters], *, negated: bool, folded: bool) -> Characters:
    """All characters of *parts*, which may be negated themselves."""
    ranges: list[tuple[int, int]] = []
    categories: set[str] = set()
    others: list[Characters] = []
    for part in parts:
        if part.negated or part.excluded:
            others.append(part)
        else:
            ranges.extend(part.ranges)
            categories |= part.categories
    return Characters(tuple(ranges), frozenset(categories), tuple(others), negated, folded)


ANY = Characters(((0, sys.maxunicode),))
ANY_BUT_NEWLINE = Characters(((0, 0x09), (0x0B, sys.maxunicode)))


def single(character: str, *, folded: bool = False) -> Characters:
    """One character."""
    return Characters(((ord(character), ord(character)),), folded=folded and len(cases(character)) > 1)
