"""Builds the oracle (tests/rig/oracle, Go) and asks it."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "rig" / "oracle"


def build() -> Path:
    """The program, built anew only when its sources changed."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = base / "release-runner" / "rig" / f"oracle-{digest.hexdigest()[:16]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["nice", "go", "build", "-o", program, "."], cwd=SOURCES, check=True)
    return program


def ask(lines: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """The oracle's answers to *lines*, in order."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([build()], input=text, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        yield json.loads(line)["answer"]
