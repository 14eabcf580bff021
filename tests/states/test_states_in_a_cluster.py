"""Runs whose state lies in the cluster: begun here, seen and ended from anywhere."""

import json
import signal

import pytest

from runner.adapters import lease
from runner.cli import ordering
from tests.states.machines import PLAYBOOK, STATE, machines, wait_for, weights


@pytest.fixture
def place(tmp_path, tmp_path_factory, capfd, monkeypatch):
    """A cluster, the machine that plays, and one more."""
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "long.yaml").write_text(PLAYBOOK.replace("WAIT", "10m"))
    with machines(tmp_path, capfd) as found:
        yield found


def test_a_run_begun_here_is_resumed_and_seen_from_elsewhere(place):
    server, here, there = place

    code, said = here.run(
        "play", "../small.yaml", "-y", "--context", "test", "--state", STATE, "--until", "a little"
    )
    assert code == 0, said
    assert f"state: {STATE}" in said
    assert f"runner resume {STATE}" in said
    assert not (here.folder / ".runner").exists()
    assert weights(server) == {"v1": 80, "v3": 20}

    code, said = there.run("status", STATE, "-o", "json")
    assert code == 0, said
    assert json.loads(said)["splits"]["reviews"] == {"v1": 80, "v3": 20}

    code, said = there.run("resume", STATE, "-y")
    assert code == 0, said
    assert weights(server) == {"v1": 0, "v3": 100}

    assert there.run("play", "../small.yaml", "-y", "--context", "test", "--state", STATE)[0] == 2
    code, said = here.run("rollback", STATE, "-y")
    assert code == 0, said
    assert weights(server) == {"v1": 100, "v3": 0}


def test_a_living_run_is_aborted_from_elsewhere(place):
    server, here, there = place
    with here.playing("play", "../long.yaml", "-y", "--context", "test", "--state", STATE) as process:
        wait_for(lambda: weights(server).get("v3") == 20)

        code, said = there.run("abort", STATE, "-y")

        assert code == 3, said
        assert process.wait(20) == 3
    assert weights(server) == {"v1": 100, "v3": 0}


def test_a_run_that_meets_another_does_not_begin(place):
    server, here, there = place
    with here.playing("play", "../long.yaml", "-y", "--context", "test") as process:
        wait_for(lambda: weights(server).get("v3") == 20)
        holder = json.loads(next((here.folder / ".runner/runs").glob("*.jsonl")).read_text().splitlines()[0])

        code, said = there.run("play", "../small.yaml", "-y", "--context", "test")

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
    assert weights(server) == {"v1": 0, "v3": 100}


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
        wait_for(lambda: weights(server).get("v3") == 20)

    code, said = there.run("unlock", STATE, "-y")

    assert code == 0, said
    assert "are free" in said
    assert f"20 % of reviews is on v3 and nobody is watching it: `runner resume {STATE}" in said
    assert "nothing is locked" in there.run("unlock", STATE, "-y")[1]


@pytest.mark.parametrize("options", [(), ("--state", STATE)], ids=["file", "configmap"])
def test_a_run_that_hangs_is_taken_over(place, monkeypatch, options):
    server, here, _ = place
    monkeypatch.setattr(ordering, "PATIENCE", 0.5)
    monkeypatch.setattr(lease, "DURATION", 1.0)
    monkeypatch.setattr(lease, "LOOK", 0.5)
    with here.playing("play", "../long.yaml", "-y", "--context", "test", *options) as process:
        wait_for(lambda: weights(server).get("v3") == 20)
        process.send_signal(signal.SIGSTOP)

        code, said = here.run("rollback", *options[1:], "-y")
        assert code == 0, said
        assert weights(server) == {"v1": 100, "v3": 0}

        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 6
        assert weights(server) == {"v1": 100, "v3": 0}


def test_the_least_role_says_what_the_state_takes(place):
    _, here, _ = place

    code, said = here.run("rbac", "../small.yaml", "--state", STATE)

    assert code == 0
    assert "configmaps" in said
    assert "configmaps" not in here.run("rbac", "../small.yaml")[1]
    assert "secrets" not in said
