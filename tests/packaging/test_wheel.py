"""What is installed is all that a user needs: the command, the schemas, the example."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel; its dependencies are those that the tests run with.

    A pure wheel is installed by unpacking it and writing its scripts; `make package` lets pip do it.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder)
    site = next(folder.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (point,) = metadata.Distribution.at(next(site.glob("*.dist-info"))).entry_points
    script = folder / "bin" / point.name
    script.write_text(f"#!{folder}/bin/python\nfrom {point.module} import {point.attr}\n{point.attr}()\n")
    script.chmod(0o755)
    return folder / "bin"


def run(installed: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The installed command, far from the repository and with a fresh home."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "NO_COLOR": "1"}
    command = [str(installed / "runner"), *arguments]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_wheel_has_every_schema_playbook_and_manifest(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {f"runner/_schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    playbooks = ROOT / "playbooks"
    wanted |= {f"runner/_playbooks/{path.relative_to(playbooks)}" for path in playbooks.rglob("*.yaml")}
    assert wanted <= names
    assert "runner/_schemas/playbook.v1.schema.json" in names
    assert "runner/_playbooks/bookinfo-canary.yaml" in names


def test_the_wheel_has_nothing_but_the_package_and_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0].partition("-")[0] for name in names} == {"runner", "release_runner"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("runner/py.typed") for name in names)


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, "--version", folder=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "0.1.0" in ran.stdout


def test_the_installed_example_validates_and_plays(installed: Path, tmp_path: Path) -> None:
    made = run(installed, "init", "--example", "bookinfo", folder=tmp_path)
    checked = run(installed, "validate", "playbooks", folder=tmp_path)
    played = run(installed, "play", "playbooks/bookinfo-canary.yaml", "--sandbox", folder=tmp_path)

    assert made.returncode == 0, made.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert played.returncode == 0, played.stdout + played.stderr


def test_the_installed_schema_is_the_published_one(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, "schema", "playbook", folder=tmp_path)

    assert ran.stdout.strip() == (ROOT / "schemas/playbook.v1.schema.json").read_text().strip()
