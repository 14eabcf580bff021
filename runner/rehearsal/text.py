"""A rehearsal for a terminal and for a pull request."""

from collections.abc import Iterator, Sequence

from runner.rehearsal import tables
from runner.rehearsal.rehearse import Rehearsal
from runner.rehearsal.tables import Row, Table
from runner.reports.escape import escape

MARKDOWN_SPECIAL = "\\`*_{}[]<>|#~@"
TABLES = (tables.gates, tables.plays, tables.timeline, tables.forecast, tables.exposures)


def render_text(rehearsal: Rehearsal) -> str:
    """For a terminal, without colour."""
    lines = [tables.verdict(rehearsal), ""]
    lines += _named("problem", rehearsal.problems)
    lines += _named("warning", tables.warnings(rehearsal))
    for make in TABLES:
        lines += _plain_table(make(rehearsal))
    lines += _named("assumed", rehearsal.assumptions)
    lines += [tables.ends(rehearsal), tables.played(rehearsal)]
    return "\n".join(escape(line) for line in lines) + "\n"


def _named(word: str, texts: Sequence[str]) -> list[str]:
    lines = [f"{word}: {' '.join(text.split())}" for text in texts]
    return [*lines, ""] if lines else []


def _plain_table(table: Table) -> Iterator[str]:
    rows = [table.head, *table.rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(table.head))]
    yield table.title
    for row in rows:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""


def render_markdown(rehearsal: Rehearsal) -> str:
    """For a pull request; what a playbook's author wrote stays text there."""
    mark = "❌" if rehearsal.problems else "✅"
    lines = [f"### {mark} Rehearsal: {_text(tables.verdict(rehearsal))}", ""]
    lines += _bullets("Problems", rehearsal.problems)
    lines += _bullets("Warnings", tables.warnings(rehearsal))
    for make in TABLES:
        lines += _markdown_table(make(rehearsal))
    lines += [_text(tables.ends(rehearsal)), ""]
    if rehearsal.assumptions:
        lines += [
            "<details><summary>Assumed</summary>",
            "",
            *_items(rehearsal.assumptions),
            "",
            "</details>",
            "",
        ]
    return "\n".join([*lines, _text(tables.played(rehearsal))]) + "\n"


def _bullets(title: str, texts: Sequence[str]) -> list[str]:
    return [f"**{title}**", "", *_items(texts), ""] if texts else []


def _items(texts: Sequence[str]) -> list[str]:
    return [f"- {_text(text)}" for text in texts]


def _markdown_table(table: Table) -> list[str]:
    rows = [_row(table.head), _row(("---",) * len(table.head)), *(_row(_texts(row)) for row in table.rows)]
    return [f"**{table.title}**", "", *rows, ""]


def _texts(row: Row) -> Row:
    return tuple(_text(text) for text in row)


def _row(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """*text* as Markdown shows it literally, on one line; nobody is mentioned, nothing is linked."""
    plain = escape(" ".join(text.split()))
    return "".join(f"\\{char}" if char in MARKDOWN_SPECIAL else char for char in plain).replace(
        "://", ":&#47;/"
    )
