"""Foreign text on its way to a terminal or a log line."""

import re
from typing import Final

MARKS: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
DANGEROUS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with these
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, bidirectional, line ends
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"  # letters that show nothing
    f"|(?<={MARKS}{MARKS}{MARKS}{MARKS}){MARKS}"  # a fifth mark on one letter: they pile up over other lines
)


def escape(text: str) -> str:
    """*text* with every character that a terminal would obey, or a reader not see, written out: `\\x1b`.

    Nor is it a command to GitHub's runner, which looks for `::` at the beginning of a line and `##[` anywhere.
    """
    clean = DANGEROUS.sub(lambda found: written_out(found[0]), text)
    if clean.lstrip().startswith("::"):
        clean = clean.replace("::", "\\x3a:", 1)
    return clean.replace("##[", "\\x23#[")


def escape_lines(text: str) -> str:
    """As `escape`, keeping line ends and making tabs two spaces."""
    return "\n".join(escape(line.replace("\t", "  ")) for line in text.split("\n"))


def written_out(char: str) -> str:
    """*char* as Python spells it in a string."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
