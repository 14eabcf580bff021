"""Writes what pip needs to install the versions of uv.lock: constraints, and one file a dependency group."""

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def where(package: dict[str, Any]) -> str:
    """The environments that this version is for, where the lock has several versions of a package."""
    markers = package.get("resolution-markers", [])
    return f" ; {' or '.join(f'({marker})' for marker in markers)}" if markers else ""


def main(folder: Path) -> None:
    """Write constraints.txt, dev.txt and bench.txt into *folder*."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = [package for package in lock["package"] if "registry" in package["source"]]
    pins = [f"{package['name']}=={package['version']}{where(package)}" for package in locked]
    (folder / "constraints.txt").write_text("\n".join(pins) + "\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for group, requirements in project["dependency-groups"].items():
        (folder / f"{group}.txt").write_text("\n".join(requirements) + "\n")


main(Path(sys.argv[1]))
