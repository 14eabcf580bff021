"""Says uv.lock in pip's words: what a purpose (the argument) installs, each version with its hashes.

The text says itself that pip must check the hashes and build nothing, since building would install
a build backend that nobody has locked.
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "release-runner"
PURPOSES = ("runtime", "dev", "bench", "rig")
"""`runtime` is what the project itself needs, `dev` that and its group, the others are their groups alone."""

HEAD = "--require-hashes\n--only-binary :all:\n"

Conditions = frozenset[str]
"""Markers that must all hold."""


@dataclass
class Pin:
    """One locked version, and the ways in which it is needed; an empty way means always."""

    package: dict[str, Any]
    ways: set[Conditions] = field(default_factory=set)

    @property
    def line(self) -> str:
        """The requirement as pip reads it."""
        named = f"{self.package['name']}=={self.package['version']}"
        hashes = sorted(wheel["hash"] for wheel in self.package["wheels"])
        return " \\\n    ".join([named + self._condition, *(f"--hash={found}" for found in hashes)]) + "\n"

    @property
    def _condition(self) -> str:
        if frozenset() in self.ways:
            return ""
        ways = sorted(" and ".join(f"({marker})" for marker in sorted(way)) for way in self.ways)
        return " ; " + " or ".join(ways)


def pins(purpose: str) -> list[Pin]:
    """What *purpose* installs beside the project itself, by name."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (root,) = [package for package in packages if package["name"] == PROJECT]
    edges = list(root["dependencies"] if purpose in {"runtime", "dev"} else ())
    edges += root["dev-dependencies"][purpose] if purpose != "runtime" else ()
    found: dict[tuple[str, str], Pin] = {}
    for edge in edges:
        _follow(edge, frozenset(), packages, found)
    return [found[key] for key in sorted(found)]


def _follow(
    edge: dict[str, Any],
    so_far: Conditions,
    packages: list[dict[str, Any]],
    found: dict[tuple[str, str], Pin],
) -> None:
    way = so_far | ({edge["marker"]} if "marker" in edge else set())
    (package,) = [each for each in packages if _is_meant(each, edge)]
    pin = found.setdefault((package["name"], package["version"]), Pin(package))
    if any(known <= way for known in pin.ways):
        return
    pin.ways = {known for known in pin.ways if not way < known} | {way}
    for further in _needed_by(package, edge.get("extra", ())):
        _follow(further, way, packages, found)


def _is_meant(package: dict[str, Any], edge: dict[str, Any]) -> bool:
    return bool(package["name"] == edge["name"] and edge.get("version") in {None, package["version"]})


def _needed_by(package: dict[str, Any], extras: list[str]) -> Iterator[dict[str, Any]]:
    yield from package.get("dependencies", ())
    for extra in extras:
        yield from package["optional-dependencies"][extra]


if __name__ == "__main__":
    sys.stdout.write(HEAD + "".join(pin.line for pin in pins(sys.argv[1])))
