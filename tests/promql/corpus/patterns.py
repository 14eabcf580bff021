"""Patterns drawn from a seed: RE2's syntax, right and wrong, against label values made to be hard."""

import json
import random
from collections.abc import Iterator

from .case import Case
from .worlds import BASE, MINUTE

SEED = 271_828
COUNT = 2_000

# fmt: off
PARTS = (
    "a", "b", "c", ".", "x", "foo", "FOO", "GET ", "/", "-", "|", "(", ")", "(?:", "(?i)", "(?i:", "(?s-s:", "(?-i)", "(?U)",
    "(?m)", "[a-c]", "[^a]", "[[:alpha:]]", "[[:^digit:]]", "[\\d\\w]", "[^\\W]", "\\d", "\\w", "\\s", "\\S", "\\W", "\\D",
    "\\b", "\\B", "^", "$", "\\A", "\\z", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,}", "{,2}", "{2", "{2,1}", "\\.",
    "\\|", "\\(", "\\$", "\\\\", "\\x61", "\\x{62}", "\\pL", "\\p{Lu}", "\\PN", "\\p{^Ll}", "\\Qa.b\\E", "(?P<n>", "(?<m>",
    "\\1", "\\01", "\\101", "\\C", "\\Z", "\\e", "\u00fc", "k", "\u212a", "s", "\u017f", "\u00e9", "\u00fc-\u00ff", "[a-", "[]a]", "[^]a]",
    "[z-a]", "\n", "[\\]]", "[a\\-z]", "[-a]", "[a-]", "(?=a)", "(?!a)", "5", "x{60}", "\\a", "\\t", "\\n", "[\\b]", "(?i)[k]",
    "(?i)[^\u212a]", "{", "}", "{}", "(|a)", "()", "(a|ab)", "1", "\\-", "\\/", "\\x6", "\\x{110000}", "\\8",
)
# fmt: on
TEMPLATES = ("<$0|$1|$2|$n>", "$1", "${1}x$2", "$m$n")


def drawn(seed: int = SEED, count: int = COUNT) -> Iterator[Case]:
    """*count* queries with patterns, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        parts = [dice.choice(PARTS) for _ in range(dice.randint(1, 6))]
        pattern = json.dumps("".join(parts), ensure_ascii=False)
        if dice.random() < 0.6:
            operator = dice.choice(["=~", "=~", "!~"])
            yield Case("patterns", "texts", f"text{{v{operator}{pattern}}}", at=BASE + MINUTE)
        elif parts.count(")") <= sum(part.startswith("(") and not part.endswith(")") for part in parts):
            template = json.dumps(dice.choice(TEMPLATES))
            yield Case(
                "patterns", "texts", f'label_replace(text, "z", {template}, "v", {pattern})', at=BASE + MINUTE
            )
