"""Diagnostics as people and machines read them: one list, five forms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runner.errors import Diagnostic, Severity
from runner.reports.escape import escape, escape_lines

MAX_SOURCE: Final = 160
"""Characters of a source line that are shown; the caret stays in sight."""

Painter = Callable[[str, str], str]
"""Colours a text by the role it plays: error, warning, place, caret, hint."""


def render_text(diagnostics: Sequence[Diagnostic], paint: Painter | None = None) -> str:
    """`file:line:col: message [CODE]`, the source line with a caret, and a hint, one block each."""
    return "".join(f"{_block(each, paint or _plain)}\n" for each in diagnostics)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """One line: how much was looked at and how much was found."""
    errors = sum(1 for each in diagnostics if each.severity is Severity.ERROR)
    warnings = len(diagnostics) - errors
    looked = _count(files, "document")
    if not diagnostics:
        return f"{looked}, nothing wrong"
    found = [_count(errors, "error")] * bool(errors) + [_count(warnings, "warning")] * bool(warnings)
    return f"{looked}, {', '.join(found)}"


def _block(found: Diagnostic, paint: Painter) -> str:
    role = found.severity.value
    label = "" if found.severity is Severity.ERROR else f"{paint('warning:', role)} "
    place = paint(escape(str(found.location)) + ":", "place")
    message = escape_lines(found.message).replace("\n", " ")
    lines = [f"{place} {label}{message} {paint(f'[{found.code}]', role)}", *_source(found, paint)]
    if found.hint:
        lines += [f"{paint('hint:', 'hint')} {escape(found.hint)}"]
    return "\n".join([*lines, ""])


def _source(found: Diagnostic, paint: Painter) -> list[str]:
    if not found.source or not found.source.strip():
        return []
    place = found.location
    text, column, width = _window(
        found.source, place.column, (place.end_column or place.column + 1) - place.column
    )
    number = str(place.line)
    gutter = " " * len(number)
    caret = " " * (column - 1) + paint("^" + "~" * (width - 1), "caret")
    return [f"{gutter} |", f"{number} | {text}", f"{gutter} | {caret}", ""]


def _window(source: str, column: int, width: int) -> tuple[str, int, int]:
    """The part of *source* around the caret, each character one column wide; the caret's column and width."""
    start = max(0, column - 1 - MAX_SOURCE // 2) if len(source) > MAX_SOURCE else 0
    before = _shown(source[start : column - 1])
    marked = _shown(source[column - 1 : column - 1 + width]) or " "
    after = _shown(source[column - 1 + width :])
    lead = "…" if start else ""
    room = MAX_SOURCE - len(before)
    shown = (marked + after)[:room] + ("…" if len(marked + after) > room else "")
    return lead + before + shown.rstrip(), len(lead + before) + 1, max(1, min(len(marked), room))


def _shown(text: str) -> str:
    return escape_lines(text).replace("\n", " ")


def _plain(text: str, _role: str) -> str:
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def render(form: str, diagnostics: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """*diagnostics* in one of the FORMS for machines; *files* are those that were looked at."""
    from runner.reports import diagnostics_machine

    forms: Mapping[str, Callable[[Sequence[Diagnostic], Sequence[str]], str]] = {
        "json": diagnostics_machine.as_json,
        "github": diagnostics_machine.as_github,
        "sarif": diagnostics_machine.as_sarif,
        "gitlab": diagnostics_machine.as_gitlab,
    }
    return forms[form](diagnostics, files)


FORMS: Final = ("text", "json", "github", "sarif", "gitlab")
