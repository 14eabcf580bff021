"""Diagnostics for machines: JSON, GitHub's workflow commands, SARIF 2.1.0 and GitLab's Code Quality report.

Sources: docs.github.com, workflow commands; SARIF 2.1.0 (OASIS), sections 3.27 and 3.28;
docs.gitlab.com, code quality report format.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

from runner import __version__
from runner.errors import Diagnostic, Severity
from runner.reports.escape import escape

SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"
DOCUMENTATION: Final = "docs/reference/diagnostics.md"


def as_json(diagnostics: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """One object: what was looked at, what was found."""
    return _dump({"files": list(files), "diagnostics": [_object(each) for each in diagnostics]})


def _object(found: Diagnostic) -> dict[str, Any]:
    place = found.location
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "endColumn": place.end_column,
        "source": found.source,
        "hint": found.hint,
    }


def as_github(diagnostics: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """A workflow command a line; GitHub shows the first ten of a kind as annotations."""
    del files
    return "".join(f"{_command(each)}\n" for each in diagnostics)


def _command(found: Diagnostic) -> str:
    place = found.location
    properties = {"file": escape(place.file), "line": place.line, "col": place.column, "title": found.code}
    if place.end_column:
        properties |= {"endColumn": place.end_column - 1, "endLine": place.line}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{found.severity.value} {said}::{_data(_whole(found))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _whole(found: Diagnostic) -> str:
    hint = f"\nhint: {found.hint}" if found.hint else ""
    return "\n".join(escape(line) for line in f"{found.message}{hint}".split("\n"))


def as_sarif(diagnostics: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """A SARIF log with one run."""
    codes = sorted({each.code for each in diagnostics})
    driver = {
        "name": "runner",
        "version": __version__,
        "rules": [{"id": code, "helpUri": f"{DOCUMENTATION}#{code.lower()}"} for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file)}} for file in files],
        "results": [_result(each, codes) for each in diagnostics],
    }
    return _dump({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def _result(found: Diagnostic, codes: list[str]) -> dict[str, Any]:
    place = found.location
    region = {"startLine": place.line, "startColumn": place.column}
    if place.end_column:
        region["endColumn"] = place.end_column
    return {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": found.severity.value,
        "message": {"text": _whole(found)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}
        ],
        "partialFingerprints": {"runner/v1": _fingerprint(found)},
    }


def as_gitlab(diagnostics: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """A Code Quality report: a list of issues."""
    del files
    return _dump([_issue(each) for each in diagnostics])


def _issue(found: Diagnostic) -> dict[str, Any]:
    return {
        "description": _whole(found),
        "check_name": found.code,
        "fingerprint": _fingerprint(found),
        "severity": "major" if found.severity is Severity.ERROR else "minor",
        "location": {
            "path": PurePath(found.location.file).as_posix(),
            "lines": {"begin": found.location.line},
        },
    }


def _fingerprint(found: Diagnostic) -> str:
    """The same for the same finding in a file whose lines have moved."""
    parts = (
        found.code,
        PurePath(found.location.file).as_posix(),
        found.message,
        (found.source or "").strip(),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(PurePath(file).as_posix().encode("utf-8", "surrogatepass"))  # a name need not be text


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
