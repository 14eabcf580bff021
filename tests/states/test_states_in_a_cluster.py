"""Runs whose state lies in the cluster: begun here, seen and ended from anywhere."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.adapters import lease
from runner.cli import ordering
from runner.cli.entry import run
from runner.document.playbook import read_playbook
from runner.ports import ObjectRef
from tests.fakes.api_server import cluster_of

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


@pytest.fixture
def place(tmp_path, tmp_path_factory, capfd, monkeypatch):
    """A cluster, the machine that plays, and one more."""
    monkeypatch.delenv("CI", raising=False)
    file = tmp_path / "small.yaml"
    file.write_text(PLAYBOOK.replace("WAIT", "1s"))
    (tmp_path / "long.yaml").write_text(PLAYBOOK.replace("WAIT", "10m"))
    playbook = read_playbook(str(file)).playbook
    operators = tmp_path_factory.mktemp("operator")  # a kubeconfig beside a playbook is refused
    with cluster_of(playbook, operators, time.time()) as (server, kubeconfig):
        folders = [tmp_path / name for name in ("here", "there")]
        for folder in folders:
            folder.mkdir()
        yield server, *(Machine(folder, kubeconfig, capfd) for folder in folders)


def _weights(server):
    found = server.world.cluster.get(
        ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")
    )
    return {
        item["destination"]["subset"]: item.get("weight", 100) for item in found["spec"]["http"][0]["route"]
    }


def _wait_for(condition):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(KeyError, TypeError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError("it never happened")


def test_a_run_begun_here_is_resumed_and_seen_from_elsewhere(place):
    server, here, there = place

    code, said = here.run(
        "play", "../small.yaml", "-y", "--context", "test", "--state", STATE, "--until", "a little"
    )
    assert code == 0, said
    assert f"state: {STATE}" in said
    assert f"runner resume {STATE}" in said
    assert not (here.folder / ".runner").exists()
    assert _weights(server) == {"v1": 80, "v3": 20}

    code, said = there.run("status", STATE, "-o", "json")
    assert code == 0, said
    assert json.loads(said)["splits"]["reviews"] == {"v1": 80, "v3": 20}

    code, said = there.run("resume", STATE, "-y")
    assert code == 0, said
    assert _weights(server) == {"v1": 0, "v3": 100}

    assert there.run("play", "../small.yaml", "-y", "--context", "test", "--state", STATE)[0] == 2
    code, said = here.run("rollback", STATE, "-y")
    assert code == 0, said
    assert _weights(server) == {"v1": 100, "v3": 0}


def test_a_living_run_is_aborted_from_elsewhere(place):
    server, here, there = place
    with here.playing("play", "../long.yaml", "-y", "--context", "test", "--state", STATE) as process:
        _wait_for(lambda: _weights(server).get("v3") == 20)

        code, said = there.run("abort", STATE, "-y")

        assert code == 3, said
        assert process.wait(20) == 3
    assert _weights(server) == {"v1": 100, "v3": 0}


def test_a_run_that_meets_another_does_not_begin(place):
    server, here, there = place
    with here.playing("play", "../long.yaml", "-y", "--context", "test") as process:
        _wait_for(lambda: _weights(server).get("v3") == 20)
        holder = json.loads(next((here.folder / ".runner/runs").glob("*.jsonl")).read_text().splitlines()[0])

        code, said = there.run("play", "../small.yaml", "-y", "--context", "test", "--from-here")

        assert code == 6, said
        assert holder["run"] in said
        assert not list(there.folder.glob(".runner/runs/*"))
        process.terminate()
        assert process.wait(20) == 143


def test_a_ci_job_keeps_its_state_in_the_cluster(place):
    _, here, there = place

    code, said = here.run("play", "../small.yaml", "-y", "--context", "test", CI="true")

    assert code == 0, said
    state = next(line.removeprefix("state: ") for line in said.splitlines() if line.startswith("state: "))
    assert state.startswith("configmap:bookinfo/runner-")
    assert there.run("status", state)[0] == 0


def test_lost_state_is_rebuilt_from_the_marker(place):
    server, here, there = place
    here.run("play", "../small.yaml", "-y", "--context", "test", "--until", "a little")

    code, said = there.run("adopt", "../small.yaml", "--context", "test")
    assert code == 0, said
    assert "a little" in said
    assert there.run("adopt", "../small.yaml", "--context", "test")[0] == 6

    code, said = there.run("resume", "-y")
    assert code == 0, said
    assert _weights(server) == {"v1": 0, "v3": 100}


def test_what_nobody_moved_cannot_be_adopted(place):
    _, here, _ = place

    code, said = here.run("adopt", "../small.yaml", "--context", "test")

    assert code == 1
    assert "no route of this playbook carries a marker" in said


def test_a_dead_lock_is_broken(place, monkeypatch):
    server, here, there = place
    monkeypatch.setattr(lease, "FRESH", 0.2)
    monkeypatch.setattr(lease, "LOOK", 0.2)
    with here.playing("play", "../long.yaml", "-y", "--context", "test", "--state", STATE):
        _wait_for(lambda: _weights(server).get("v3") == 20)

    code, said = there.run("unlock", STATE, "-y")

    assert code == 0, said
    assert "are free" in said
    assert "nothing is locked" in there.run("unlock", STATE, "-y")[1]


def test_a_run_that_hangs_is_taken_over(place, monkeypatch):
    server, here, _ = place
    monkeypatch.setattr(ordering, "PATIENCE", 0.5)
    monkeypatch.setattr(lease, "DURATION", 1.0)
    monkeypatch.setattr(lease, "LOOK", 0.5)
    with here.playing("play", "../long.yaml", "-y", "--context", "test") as process:
        _wait_for(lambda: _weights(server).get("v3") == 20)
        process.send_signal(signal.SIGSTOP)

        code, said = here.run("rollback", "-y")
        assert code == 0, said
        assert _weights(server) == {"v1": 100, "v3": 0}

        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 6
        assert _weights(server) == {"v1": 100, "v3": 0}


def test_the_least_role_says_what_the_state_takes(place):
    _, here, _ = place

    code, said = here.run("rbac", "../small.yaml", "--state", STATE)

    assert code == 0
    assert "configmaps" in said
    assert "configmaps" not in here.run("rbac", "../small.yaml")[1]
    assert "secrets" not in said
