"""Diagnostics as people and machines read them: one list, five forms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runner.errors import Diagnostic, Severity
from runner.reports.escape import escape, escape_lines
from runner.reports.terminal import Terminal, Tone, cells

MAX_SOURCE: Final = 160
"""Characters of a source line that are shown; the caret stays in sight."""

TONES: Final = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN}


def render_text(diagnostics: Sequence[Diagnostic], terminal: Terminal | None = None) -> str:
    """`file:line:col: message [CODE]`, the source line with a caret, and a hint, one block each."""
    return "".join(f"{_block(each, terminal or Terminal())}\n" for each in diagnostics)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """One line: how much was looked at and how much was found."""
    errors = sum(1 for each in diagnostics if each.severity is Severity.ERROR)
    warnings = len(diagnostics) - errors
    looked = _count(files, "document")
    if not diagnostics:
        return f"{looked}, nothing wrong"
    found = [_count(errors, "error")] * bool(errors) + [_count(warnings, "warning")] * bool(warnings)
    return f"{looked}, {', '.join(found)}"


def _block(found: Diagnostic, terminal: Terminal) -> str:
    tone = TONES[found.severity]
    label = "" if found.severity is Severity.ERROR else terminal.paint("warning:", tone) + " "
    place = terminal.paint(escape(str(found.location)) + ":", Tone.STRONG)
    code = terminal.paint(f"[{found.code}]", tone)
    lines = [f"{place} {label}{_shown(found.message)} {code}", *_source(found, terminal)]
    if found.hint:
        lines += ["", f"{terminal.paint('hint:', Tone.NOW)} {_shown(found.hint)}"]
    return "\n".join([*lines, ""])


def _source(found: Diagnostic, terminal: Terminal) -> list[str]:
    if not found.source or not found.source.strip():
        return []
    place = found.location
    text, column, width = _window(
        found.source, place.column, (place.end_column or place.column + 1) - place.column
    )
    number = str(place.line)
    gutter = " " * len(number)
    caret = " " * (column - 1) + terminal.paint("^" + "~" * (width - 1), TONES[found.severity])
    return [f"{gutter} |", f"{number} | {text}", f"{gutter} | {caret}"]


def _window(source: str, column: int, width: int) -> tuple[str, int, int]:
    """The part of *source* around the caret, safe for a terminal, and the caret's column and width there."""
    start = max(0, column - 1 - MAX_SOURCE // 2) if len(source) > MAX_SOURCE else 0
    end = column + MAX_SOURCE  # one more than can be shown, so that what is left out is noticed
    before = _shown(source[start : column - 1])
    marked = _shown(source[column - 1 : min(column - 1 + width, end)]) or " "
    after = _shown(source[column - 1 + width : end])
    lead = "…" if start else ""
    room = MAX_SOURCE - len(before)
    shown = (marked + after)[:room] + ("…" if len(marked + after) > room else "")
    return lead + before + shown.rstrip(), cells(lead + before) + 1, max(1, min(cells(marked), room))


def _shown(text: str) -> str:
    return escape_lines(text).replace("\n", " ")


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
