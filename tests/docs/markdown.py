"""Fenced blocks of Markdown files, with the HTML comment above each that says how it is tested.

`<!-- not run: REASON -->`      commands are only checked against the command tree
`<!-- interrupt at: TEXT -->`   Ctrl-C reaches the command when it has printed TEXT
`<!-- file: PATH -->`           the block is written to PATH before the commands that follow
`<!-- part of: PATH -->`        a YAML block that stands, as written, in that file of the repository
`<!-- keys of a playbook -->`   a YAML block that keeps the schema when put into a playbook
`<!-- another tool's -->`       a YAML block that is only parsed
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """One fenced block; *line* is that of its fence."""

    path: Path
    line: int
    language: str
    text: str
    marker: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    def marked(self, word: str) -> str | None:
        """What follows *word* in the marker, or None."""
        return self.marker.removeprefix(word).strip(": ") if self.marker.startswith(word) else None


@dataclass(frozen=True)
class Command:
    """One command line, the exit code it must end with, and the output it must print (None: any)."""

    line: str
    code: int
    output: str | None
    block: Block


def blocks(path: Path) -> list[Block]:
    """Every fenced block of *path*, in order."""
    lines = path.read_text().splitlines()
    found, n = [], 0
    while n < len(lines):
        fence = re.fullmatch(r"( *)```(\S*).*", lines[n])
        if fence is None:
            n += 1
            continue
        end = next(m for m in range(n + 1, len(lines)) if lines[m].strip() == "```")
        text = "\n".join(line.removeprefix(fence[1]) for line in lines[n + 1 : end])
        found.append(Block(path, n + 1, fence[2], text, _marker(lines, n)))
        n = end + 1
    return found


def _marker(lines: list[str], fence: int) -> str:
    above = next((lines[n].strip() for n in range(fence - 1, -1, -1) if lines[n].strip()), "")
    comment = re.fullmatch(r"<!-- (.*) -->", above)
    return comment[1] if comment else ""


def commands(block: Block) -> Iterator[Command]:
    """The commands of a `sh` block, one a line, or of a `console` block, where `$ ` begins one and output follows."""
    lines = re.sub(r"\\\n\s*", "", block.text).splitlines()
    if block.language == "sh":
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield _command(line, None, block)
        return
    starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _command(lines[start].removeprefix("$ "), "\n".join(lines[start + 1 : end]), block)


def _command(line: str, output: str | None, block: Block) -> Command:
    exits = re.search(r"\s+# .*\bexits? (\d+)", line)
    return Command(line, int(exits[1]) if exits else 0, output, block)


def matches(expected: str, printed: str) -> bool:
    """Whether *printed* is *expected*, in which `...` stands for anything; spaces at line ends do not count."""
    parts = [re.escape(part) for part in _trimmed(expected).split("...")]
    return re.fullmatch(".*".join(parts), _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
