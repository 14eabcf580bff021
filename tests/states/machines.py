"""Machines that call `runner` in folders of their own, and one cluster that all of them reach."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.entry import run
from runner.document.playbook import read_playbook
from runner.ports import ObjectRef
from tests.fakes.api_server import Server, cluster_of

PLAYBOOK = """
apiVersion: runner/v1
kind: Playbook
metadata: {name: small, version: 1.0.0}
target: {namespace: bookinfo}
routes:
  reviews: {virtualService: reviews, stable: v1, canary: v3}
stages:
  - name: a little
    shift: {route: reviews, canary: 20}
  - name: pause
    wait: WAIT
  - name: everything
    shift: {route: reviews, canary: 100}
  - name: promote
    promote: {route: reviews}
"""
STATE = "configmap:bookinfo/release-1"


class Machine:
    """Calls `runner` in a folder that another machine does not have."""

    def __init__(self, folder, kubeconfig, capture):
        self.folder, self.capture = folder, capture
        self.environment = {"PLAY_KUBECONFIG": str(kubeconfig), "HOME": str(folder)}

    def run(self, *arguments, **environment):
        """The exit code, and all that was said."""
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.environment, **environment}.items():
                patch.setenv(name, value)
            code = run(list(arguments))
        said = self.capture.readouterr()
        return code, said.out + said.err

    @contextlib.contextmanager
    def playing(self, *arguments):
        """A process of its own, which is gone in the end."""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **self.environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def machines(
    folder: Path, capture, playbook: str = PLAYBOOK.replace("WAIT", "1s")
) -> Iterator[tuple[Server, Machine, Machine]]:
    """A cluster for *playbook*, the machine that plays, and one more; *folder* holds small.yaml."""
    file = folder / "small.yaml"
    file.write_text(playbook)
    operators = folder.parent / f"{folder.name}-operator"  # a kubeconfig beside a playbook is refused
    operators.mkdir()
    with cluster_of(read_playbook(str(file), allow_secrets=True).playbook, operators, time.time()) as (
        server,
        kubeconfig,
    ):
        folders = [folder / name for name in ("here", "there")]
        for each in folders:
            each.mkdir()
        yield server, *(Machine(each, kubeconfig, capture) for each in folders)


def weights(server):
    found = server.world.cluster.get(
        ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")
    )
    return {
        item["destination"]["subset"]: item.get("weight", 100) for item in found["spec"]["http"][0]["route"]
    }


def wait_for(condition):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(KeyError, TypeError):
            if condition():
                return
        time.sleep(0.3)
    raise AssertionError("it never happened")
