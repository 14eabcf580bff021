"""`make bench`: measures against a floor or a peer in the same run, prints the table, and writes it where asked."""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import canary, durability, rehearsal, resuming, startup, validation  # noqa: E402
from tests.bench.measure import Figure  # noqa: E402

BIN = Path(sys.executable).parent
PEER = ROOT / ".benchmarks/peer/bin/check-jsonschema"


def main() -> None:
    """Measure everything; exit 1 when a goal was missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", type=Path, metavar="PAGE")
    page = arguments.parse_args().write
    figures = measure()
    text = table(figures)
    print(text)
    if page is not None:
        page.write_text(HEAD.format(**versions()) + text)
    sys.exit(0 if all(figure.holds for figure in figures) else 1)


def measure() -> list[Figure]:
    """Every figure, in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=ROOT / ".benchmarks") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "playbooks", folder / "playbooks")
        return [
            *startup.figures(Path(sys.executable), BIN / "runner", folder),
            *validation.figures(PEER, BIN / "runner", ROOT / "schemas", folder),
            *canary.figures(BIN / "runner", folder),
            *rehearsal.figures(BIN / "runner", folder),
            *resuming.figures(BIN / "runner", folder),
            *durability.figures(folder),
        ]


def table(figures: list[Figure]) -> str:
    """The figures in Markdown."""
    rows = [
        f"| {one.what} | {one.figure} | {one.goal} | {'yes' if one.holds else '**no**'} |" for one in figures
    ]
    return "\n".join(["| what | measured | goal | reached |", "|---|---|---|---|", *rows, ""])


def versions() -> dict[str, str]:
    """What was measured, on what."""
    import runner

    peer = subprocess.run([PEER, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "version": runner.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "peer": peer,
    }


HEAD = """\
# Benchmarks

<!-- written by `make bench` -->

Measured on {day} with runner {version}, Python {python}, {system}, check-jsonschema {peer}. Ratios are medians over pairs
taken by turns in one run, of CPU time (user and system) unless said otherwise; absolute times depend on the machine.
check-jsonschema checks the schema and nothing else; `runner validate` also checks references, templates, PromQL and rules.

"""

if __name__ == "__main__":
    main()
