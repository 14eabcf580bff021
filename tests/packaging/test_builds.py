"""Anybody who builds a release from its sources gets the same bytes."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def build(source: Path, target: Path, **environment: str) -> dict[str, str]:
    """The digests of wheel and sdist that are built from *source*, by kind."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target)]
    environment = {"PATH": os.environ["PATH"], **environment}
    subprocess.run(
        command,
        cwd=source,
        env=environment,
        check=True,
        capture_output=True,
        umask=int(environment.get("UMASK", "022"), 8),
    )
    return {file.suffix: hashlib.sha256(file.read_bytes()).hexdigest() for file in target.iterdir()}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The sdist of this tree, unpacked elsewhere, and the digests of what this tree gave."""
    folder = tmp_path_factory.mktemp("release")
    digests = build(ROOT, folder / "dist", HOME=str(folder))
    (archive,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "elsewhere", filter="data")
    (source,) = (folder / "elsewhere").iterdir()
    return source, digests


def test_the_sdist_holds_all_that_a_release_is_built_from(unpacked: tuple[Path, dict[str, str]]) -> None:
    source, digests = unpacked

    again = build(source, source.parent / "again", HOME="/", TZ="Pacific/Auckland", LC_ALL="C", UMASK="077")

    assert set(digests) == {".whl", ".gz"}
    assert again == digests


def test_the_sdist_holds_nothing_else(unpacked: tuple[Path, dict[str, str]]) -> None:
    source, _ = unpacked
    top = {path.name for path in source.iterdir()}

    assert top == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "docs",
        "playbooks",
        "pyproject.toml",
        "runner",
        "schemas",
    }
    assert [str(path.relative_to(source)) for path in (source / "docs").rglob("*") if path.is_file()] == [
        "docs/reference/release-runner.cdx.json"
    ]


def test_the_wheel_is_dated_as_the_builder_says(unpacked: tuple[Path, dict[str, str]]) -> None:
    source, digests = unpacked

    dated = build(source, source.parent / "dated", HOME="/", SOURCE_DATE_EPOCH="1700000000")

    assert dated[".whl"] != digests[".whl"]
