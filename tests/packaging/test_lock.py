"""What is installed from the lock is installed with its hashes checked, and the lock is the project's."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PURPOSES = ("runtime", "dev", "bench", "rig")
(ITSELF,) = [package for package in LOCK["package"] if package["name"] == "release-runner"]
LOCKED = [package for package in LOCK["package"] if package is not ITSELF]


def pins(purpose: str) -> str:
    """What `.ci/pins.py` tells pip to install."""
    command = [sys.executable, str(ROOT / ".ci/pins.py"), purpose]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def requirements(purpose: str) -> dict[str, list[Requirement]]:
    """The same as requirements by name, without options and hashes."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^\w.*(?= \\$)", pins(purpose), re.MULTILINE):
        found.setdefault((read := Requirement(line)).name, []).append(read)
    return found


def asked(listed: list[str]) -> set[tuple[str, str]]:
    return {(canonicalize_name((each := Requirement(text)).name), str(each.specifier)) for text in listed}


def locked(listed: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(each["name"], each.get("specifier", "")) for each in listed}


def test_everything_locked_comes_from_the_index_with_hashes() -> None:
    assert len(LOCKED) > 50
    for package in LOCKED:
        assert set(package["source"]) == {"registry"}, package["name"]
        artefacts = package["wheels"] + ([package["sdist"]] if "sdist" in package else [])
        assert package["wheels"], package["name"]
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", artefact["hash"]) for artefact in artefacts)


def test_the_lock_fits_the_project() -> None:
    groups = PROJECT["dependency-groups"]

    assert locked(ITSELF["metadata"]["requires-dist"]) == asked(PROJECT["project"]["dependencies"])
    assert {name: locked(listed) for name, listed in ITSELF["metadata"]["requires-dev"].items()} == {
        name: asked(listed) for name, listed in groups.items()
    }
    assert LOCK["requires-python"] == PROJECT["project"]["requires-python"]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_pip_is_told_to_check_every_hash_and_to_build_nothing(purpose: str) -> None:
    options, _, rest = pins(purpose).partition("--only-binary :all:\n")

    assert options == "--require-hashes\n"
    blocks = rest.removesuffix("\n").split("\n")
    listed = re.split(r"\n(?=\w)", "\n".join(blocks))
    assert listed != [""]
    for block in listed:
        first, *hashes = block.split(" \\\n    ")
        assert re.match(r"[a-z0-9._-]+==[^ ]+( ; .+)?$", first)
        assert hashes
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", found) for found in hashes)


def needed(name: str, extras: frozenset[str], found: dict[str, str]) -> dict[str, str]:
    """What the installed *name* needs here, and what that needs, as the distributions themselves say."""
    for text in metadata.requires(name) or []:
        each = Requirement(text)
        here = [each.marker is None or each.marker.evaluate({"extra": extra}) for extra in extras | {""}]
        if any(here) and canonicalize_name(each.name) not in found:
            found[canonicalize_name(each.name)] = metadata.version(each.name)
            needed(each.name, frozenset(each.extras), found)
    return found


def test_a_release_pins_just_what_runner_needs() -> None:
    pinned = {
        name: str(one.specifier).removeprefix("==")
        for name, several in requirements("runtime").items()
        for one in several
        if one.marker is None or one.marker.evaluate()
    }

    assert pinned == needed("release-runner", frozenset(), {})


def test_what_make_and_ci_install_is_pinned_or_their_own() -> None:
    recipes = (ROOT / "Makefile").read_text().replace("\\\n", "") + (ROOT / ".ci/run").read_text()
    steps = re.split(r"&&|\|\||;|\n", recipes)

    installing = [
        step for step in steps if re.search(r"\$\(PIP_INSTALL\)|\$\(UV_SYNC\)|pip install|uv \w+", step)
    ]
    allowed = re.compile(
        r"\$\(PIP_INSTALL\) --requirement \S*(dev|bench|rig|requirements)\.txt"
        r"|\$\(PIP_INSTALL\) --no-index --no-deps "
        r"|\$\(UV_SYNC\) --(no-build-isolation-package release-runner|only-group rig)"
        r"|^UV_SYNC := uv sync --quiet --locked --inexact --no-build$"
        r"|^PIP_INSTALL := -m pip install --quiet --disable-pip-version-check$"
        r"|command -v uv"
    )
    assert len(installing) > 8
    assert [step for step in installing if not allowed.search(step)] == []
