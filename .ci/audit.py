"""Asks a vulnerability service about every version in a lock (uv.lock, or the argument), through pip-audit.

Exit 0: all were asked about, and nothing is known. Exit 1: something is known. Exit 3: not audited.
No answer is no evidence, and an index may answer without knowing anything; so a version that is known to be
vulnerable is asked about as well, and the answers count only when that one is recognised.

The service is chosen as pip-audit has it: PIP_AUDIT_VULNERABILITY_SERVICE, PIP_AUDIT_OSV_URL.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTROL = ("werkzeug", "2.2.2")
KNOWN = "CVE-2023-25577"
NOT_AUDITED = 3

Version = tuple[str, str]


class NoEvidenceError(Exception):
    """The service gave no answer that means anything; the message says why."""


def versions_in(lock: Path) -> list[Version]:
    """Every version that *lock* takes from an index."""
    packages = tomllib.loads(lock.read_text())["package"]
    return [(package["name"], package["version"]) for package in packages if "registry" in package["source"]]


def known_of(versions: list[Version]) -> Iterator[str]:
    """What is known about *versions*, a line each. NoEvidenceError."""
    if not versions:
        raise NoEvidenceError("the lock names no version")
    left = versions
    while left:  # pip-audit takes each name once
        now = dict(left)
        yield from _known_of(list(now.items()))
        left = [version for version in left if version not in now.items()]


def _known_of(versions: list[Version]) -> Iterator[str]:
    known = _answers([*versions, CONTROL])
    if not any(KNOWN in _names(one) for one in known.get(CONTROL, [])):
        raise NoEvidenceError(f"the service does not know {KNOWN} of {CONTROL[0]} {CONTROL[1]}")
    for name, version in versions:
        if (name, version) not in known:
            raise NoEvidenceError(f"the service says nothing about {name} {version}")
        for one in known[name, version]:
            fixed = f"; fixed in {', '.join(one['fix_versions'])}" if one["fix_versions"] else ""
            yield f"{name} {version}: {', '.join(_names(one))}{fixed}"


def _names(one: dict[str, Any]) -> list[str]:
    return [one["id"], *one["aliases"]]


def _answers(versions: list[Version]) -> dict[Version, list[dict[str, Any]]]:
    with TemporaryDirectory() as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text("".join(f"{name}=={version}\n" for name, version in versions))
        options = ["--requirement", str(asked), "--no-deps", "--disable-pip", "--cache-dir", folder]
        options += ["--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", *options]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        found = json.loads(ran.stdout)["dependencies"]
    except ValueError as error:
        said = ran.stderr.strip().splitlines() or ["nothing"]
        raise NoEvidenceError(f"pip-audit got no answer: {said[-1]}") from error
    return {(each["name"], each["version"]): each["vulns"] for each in found if "skip_reason" not in each}


def main(lock: Path) -> int:
    """Print what is known, and return the exit code."""
    versions, found = versions_in(lock), []
    try:
        for line in known_of(versions):
            print(line)
            found.append(line)
    except NoEvidenceError as error:
        print(f"not audited: {error}")
        return 1 if found else NOT_AUDITED
    print(f"locked versions audited: {len(versions)}; known vulnerabilities: {len(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "uv.lock"))
