"""Tables of words, set for a terminal and for a pull request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.reports.escape import escape

MARKDOWN_SPECIAL = "\\`*_{}[]<>|#~@"

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, the names of the columns, and rows as wide."""

    title: str
    head: Row
    rows: tuple[Row, ...]


def plain_table(table: Table) -> Iterator[str]:
    """Columns of equal width below the heading, and an empty line."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(table.head))]
    yield table.title
    for row in rows:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""


def markdown_table(table: Table) -> list[str]:
    """A table of GitHub's Markdown, and an empty line; what others wrote stays text in it."""
    rows = [_row(table.head), _row(("---",) * len(table.head)), *(_row(_texts(row)) for row in table.rows)]
    return [f"**{table.title}**", "", *rows, ""]


def markdown_items(texts: Iterable[str]) -> list[str]:
    """A list."""
    return [f"- {markdown(text)}" for text in texts]


def markdown(text: str) -> str:
    """*text* as Markdown shows it literally, on one line; nobody is mentioned, nothing is linked."""
    plain = escape(" ".join(text.split()))
    return "".join(f"\\{char}" if char in MARKDOWN_SPECIAL else char for char in plain).replace(
        "://", ":&#47;/"
    )


def _texts(row: Row) -> Row:
    return tuple(markdown(text) for text in row)


def _row(row: Row) -> str:
    return f"| {' | '.join(row)} |"
