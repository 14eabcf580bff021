"""Every command means a run by its state file here, and by its place in the cluster from anywhere, alike."""

import re
import shlex

import pytest

from runner.adapters import lease
from tests.states.machines import PLAYBOOK, STATE, machines, wait_for, weights

GATED = PLAYBOOK.replace("wait: WAIT", "approve: {message: Look., timeout: 1h}")
PLAY = ("play", "../small.yaml", "-y", "--context", "test", "--state")
FILE = "run.jsonl"

STOPPED = (
    # what is called after `play --until`, its exit code, and words that it says
    (("status", "RUN"), 0, "a little"),
    (("status", "RUN", "-o", "json"), 0, '"living": false'),
    (("status", "RUN", "--watch"), 0, "runner resume RUN"),
    (("audit", "RUN"), 0, ""),
    (("report", "RUN", "-o", "json"), 0, ""),
    (("approve", "RUN"), 2, "waits at no gate"),
    (("unlock", "RUN", "-y"), 0, "nothing is locked"),
    (("play", "../small.yaml", "-y", "--context", "test", "--state", "RUN"), 6, "which is not finished"),
    (("resume", "RUN", "-y"), 0, "Promoted"),
    (("resume", "RUN", "-y"), 2, "is finished"),
    (("abort", "RUN", "-y"), 2, "runner rollback RUN"),
    (("play", "../small.yaml", "-y", "--context", "test", "--state", "RUN"), 2, "holds a finished run"),
    (("rollback", "RUN", "-y"), 0, "Rolled back"),
    (("status", "RUN"), 0, "Rolled back"),
)
LIVING = (
    (("status", "RUN", "-o", "json"), 0, '"living": true'),
    (("resume", "RUN", "-y"), 6, ""),
    (("approve", "RUN"), 0, "approved by"),
    (("approve", "RUN"), 2, "waits at no gate"),
)
DEAD = (
    (("status", "RUN", "-o", "json"), 0, '"living": false'),
    (("approve", "RUN"), 2, "nobody plays run"),
    (("rollback", "RUN", "-y"), 0, "Rolled back"),
)


@pytest.fixture(params=["file", "configmap"])
def place(request, tmp_path, capfd, monkeypatch):
    """A cluster, the machine that plays, the one that calls, and what it calls the run."""
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, PLAYBOOK.replace("WAIT", "1s")) as (server, here, there):
        (tmp_path / "gated.yaml").write_text(GATED)
        yield server, here, *((here, FILE) if request.param == "file" else (there, STATE))


def _told(caller, name, table):
    for words, code, said in table:
        if words[0] == "report" and caller.run("report", "--help")[0] != 0:
            continue  # a command of a later version
        came = caller.run(*(name if word == "RUN" else word for word in words))
        assert came[0] == code, (words, came)
        assert said.replace("RUN", name) in came[1], (words, came[1])


def test_a_run_that_stopped(place):
    _, here, caller, name = place
    code, said = here.run(*PLAY, name, "--until", "a little")
    assert code == 0, said

    _told(caller, name, STOPPED)


def test_a_run_that_is_played(place):
    server, here, caller, name = place
    with here.playing("play", "../gated.yaml", *PLAY[2:], name) as process:
        wait_for(lambda: '"gate": {' in caller.run("status", name, "-o", "json")[1])

        _told(caller, name, LIVING)

        assert process.wait(60) == 0
    assert weights(server) == {"v1": 0, "v3": 100}


def test_a_run_whose_process_died(place, monkeypatch):
    server, here, caller, name = place
    monkeypatch.setattr(lease, "SILENT", 2.0)
    monkeypatch.setattr(lease, "DURATION", 1.0)
    monkeypatch.setattr(lease, "LOOK", 0.5)
    with here.playing("play", "../gated.yaml", *PLAY[2:], name):
        wait_for(lambda: '"gate": {' in caller.run("status", name, "-o", "json")[1])
    wait_for(lambda: '"living": false' in caller.run("status", name, "-o", "json")[1])

    _told(caller, name, DEAD)

    assert weights(server) == {"v1": 100, "v3": 0}


@pytest.mark.parametrize("verb", ["resume", "rollback"])
def test_what_a_run_prints_works_when_it_is_pasted(place, verb):
    server, here, _, name = place
    kubeconfig = here.environment.pop("PLAY_KUBECONFIG")
    code, said = here.run(*PLAY, name, "--until", "a little", "--kubeconfig", kubeconfig)
    assert code == 0, said

    (pasted,) = set(re.findall(rf"runner {verb} .*?(?=   |`|$)", said, re.MULTILINE))
    code, said = here.run(*shlex.split(pasted)[1:], "-y")

    assert code == 0, said
    assert weights(server) == ({"v1": 0, "v3": 100} if verb == "resume" else {"v1": 100, "v3": 0})


def test_without_a_name_the_place_in_a_cluster_is_told_of(tmp_path, capfd):
    with machines(tmp_path, capfd) as (_, here, _):
        for verb in ("resume", "rollback", "abort", "status"):
            code, said = here.run(verb)
            assert code == 2
            assert "configmap:NAMESPACE/NAME" in said
        code, said = here.run("runs")
        assert code == 0
        assert "kubectl get configmaps -A -l runner/state=first" in said
