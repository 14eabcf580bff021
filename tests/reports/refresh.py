"""Writes every golden file anew: `python -m tests.reports.refresh`, then read the diff."""

from tests.reports.stories import CASES
from tests.reports.telling import narrated
from tests.reports.test_screen import PICTURES, picture

for path in CASES.glob("*.jsonl"):
    path.with_suffix(".txt").write_text(narrated(path.stem), encoding="utf-8")
for name, until in PICTURES:
    (CASES / f"{name}-{until}.screen").write_text(picture(name, until), encoding="utf-8")
