"""Writes the bill of materials that the wheel carries: uv's CycloneDX export, without what differs each time.

Left out are the serial number, the time, and where each of some thousand files can be had; their hashes
are in uv.lock and in the requirements of a release.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from runner import __version__

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/reference/release-runner.cdx.json"
EXPORT = "uv export --quiet --locked --no-dev --format cyclonedx1.5 --preview-features sbom-export"


def exported() -> dict[str, Any]:
    """What uv says of uv.lock's runtime part."""
    ran = subprocess.run(EXPORT.split(), cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def settled(found: dict[str, Any]) -> dict[str, Any]:
    """*found* as a function of the lock and the project's version alone."""
    del found["serialNumber"], found["metadata"]["timestamp"]
    about = {"version": __version__, "purl": f"pkg:pypi/release-runner@{__version__}"}
    found["metadata"]["component"] |= about
    for component in found["components"]:
        component.pop("externalReferences", None)
    return found


if __name__ == "__main__":
    TARGET.write_text(json.dumps(settled(exported()), indent=1) + "\n")
