"""Foreign text on its way to a terminal or a log line."""

import re
from typing import Final

DANGEROUS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with these
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, bidirectional, line ends
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def escape(text: str) -> str:
    """*text* with every character that a terminal would obey, or a reader not see, written out: `\\x1b`."""
    return DANGEROUS.sub(lambda found: written_out(found[0]), text)


def escape_lines(text: str) -> str:
    """As `escape`, keeping line ends and making tabs two spaces."""
    return "\n".join(escape(line.replace("\t", "  ")) for line in text.split("\n"))


def written_out(char: str) -> str:
    """*char* as Python spells it in a string."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
