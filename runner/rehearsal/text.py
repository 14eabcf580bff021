"""A rehearsal for a terminal and for a pull request."""

from collections.abc import Iterator, Sequence

from runner.rehearsal import tables
from runner.rehearsal.rehearse import Rehearsal
from runner.reports.escape import escape
from runner.reports.tables import Table, markdown, markdown_items, markdown_table, plain_table

TABLES = (tables.gates, tables.plays, tables.timeline, tables.forecast, tables.exposures)


def render_text(rehearsal: Rehearsal) -> str:
    """For a terminal, without colour."""
    lines = [tables.verdict(rehearsal), ""]
    lines += _named("problem", rehearsal.problems)
    lines += _named("warning", tables.warnings(rehearsal))
    for table in _tables(rehearsal):
        lines += plain_table(table)
    lines += _named("assumed", rehearsal.assumptions)
    lines += [tables.ends(rehearsal), tables.played(rehearsal)]
    return "\n".join(escape(line) for line in lines) + "\n"


def _tables(rehearsal: Rehearsal) -> Iterator[Table]:
    """Those that have something to say."""
    return filter(lambda table: table.rows, (make(rehearsal) for make in TABLES))


def _named(word: str, texts: Sequence[str]) -> list[str]:
    lines = [f"{word}: {' '.join(text.split())}" for text in texts]
    return [*lines, ""] if lines else []


def render_markdown(rehearsal: Rehearsal) -> str:
    """For a pull request; what a playbook's author wrote stays text there."""
    mark = "❌" if rehearsal.problems else "✅"
    lines = [f"### {mark} Rehearsal: {markdown(tables.verdict(rehearsal))}", ""]
    lines += _bullets("Problems", rehearsal.problems)
    lines += _bullets("Warnings", tables.warnings(rehearsal))
    for table in _tables(rehearsal):
        lines += markdown_table(table)
    lines += [markdown(tables.ends(rehearsal)), ""]
    if rehearsal.assumptions:
        lines += [
            "<details><summary>Assumed</summary>",
            "",
            *markdown_items(rehearsal.assumptions),
            "",
            "</details>",
            "",
        ]
    return "\n".join([*lines, markdown(tables.played(rehearsal))]) + "\n"


def _bullets(title: str, texts: Sequence[str]) -> list[str]:
    return [f"**{title}**", "", *markdown_items(texts), ""] if texts else []
