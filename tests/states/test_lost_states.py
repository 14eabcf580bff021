"""A state that is lost, wherever it was kept: play refuses, adopt rebuilds it, and the run goes on or back."""

import re
import shlex

import pytest

from runner.journal import JournalFile
from runner.journal.configmap import ConfigMapJournal
from runner.ports import ObjectRef
from runner.routers.marker import marker_of
from runner.sandbox.kinds import Key
from tests.states.machines import PLAYBOOK, STATE, machines, weights

REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")
PLAY = ("play", "../small.yaml", "-y", "--context", "test")


@pytest.fixture
def place(tmp_path, capfd, monkeypatch):
    """A cluster, and the machine that plays."""
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, PLAYBOOK.replace("WAIT", "1s")) as (server, here, _):
        yield server, here


def _lose(server, here):
    for file in here.folder.glob("run.jsonl*"):
        file.unlink()
    for number in range(9):
        server.world.registry.delete(
            server.world.present(), Key("", "ConfigMap", "bookinfo", f"release-1-{number:04d}")
        )


@pytest.mark.parametrize("verb", ["resume", "rollback"])
@pytest.mark.parametrize("state", ["run.jsonl", STATE])
@pytest.mark.parametrize("stage", ["a little", "pause", "everything"])
def test_a_lost_state_is_rebuilt_and_the_run_ends_as_promised(place, stage, state, verb):
    server, here = place
    assert here.run(*PLAY, "--state", state, "--until", stage)[0] == 0
    run = marker_of(server.world.cluster.get(REVIEWS)).run
    _lose(server, here)

    code, said = here.run(verb, state, "-y")
    assert code == 1, said
    code, said = here.run(*PLAY, "--state", state)
    assert code == 7, said
    assert f"run {run} is not finished" in said
    assert "runner adopt FILE" in said
    code, said = here.run("adopt", "../small.yaml", "--context", "test", "--state", state)
    assert code == 0, said
    *_, last = said.splitlines()
    assert ("and nobody is watching it: `runner resume" in last) is (weights(server)["v3"] > 0), said
    pasted = re.search(rf"runner {verb} [^`]*", said).group()
    code, said = here.run(*shlex.split(pasted)[1:], "-y")

    assert code == 0, said
    assert weights(server) == ({"v1": 0, "v3": 100} if verb == "resume" else {"v1": 100, "v3": 0})


APPLIES_A_SECRET = PLAYBOOK.replace("WAIT", "1s").replace(
    "stages:\n", "stages:\n  - {name: settings, apply: {files: [settings.yaml]}}\n"
)
SETTINGS = "apiVersion: v1\nkind: Secret\nmetadata: {name: settings}\nstringData: {word: hunter2}\n"
ADOPT = ("adopt", "../small.yaml", "--context", "test", "--state", "run.jsonl")


@pytest.fixture
def with_a_secret(tmp_path, capfd, monkeypatch):
    """A run that applied a Secret and stopped half way, and whose state is lost."""
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    (tmp_path / ".git").mkdir()
    with machines(tmp_path, capfd, APPLIES_A_SECRET) as (server, here, _):
        code, said = here.run(
            *PLAY, "--allow-secrets", "--root", "..", "--state", "run.jsonl", "--until", "a little"
        )
        assert code == 0, said
        _lose(server, here)
        yield server, here


def test_a_run_that_applied_secrets_is_adopted_as_it_was_played(with_a_secret):
    server, here = with_a_secret
    code, said = here.run(*ADOPT)
    assert code == 1
    assert "or give --allow-secrets" in said

    code, said = here.run(*ADOPT, "--allow-secrets", "--root", "..")
    assert code == 0, said
    (here.folder / "deeper").mkdir()
    here.folder /= "deeper"
    code, said = here.run("resume", "../run.jsonl", "-y")

    assert code == 0, said
    assert weights(server) == {"v1": 0, "v3": 100}


def test_secrets_are_not_adopted_into_a_state_that_others_read(with_a_secret):
    _, here = with_a_secret

    code, said = here.run(*ADOPT[:-1], STATE, "--allow-secrets")

    assert code == 2
    assert "would hold the Secrets of the playbook" in said


def test_whatever_refuses_a_secret_can_be_told_to_take_it(with_a_secret):
    _, here = with_a_secret
    for command in ("validate", "rbac"):
        code, said = here.run(command, "../small.yaml")
        assert code == 1
        assert "or give --allow-secrets" in said

        code, said = here.run(command, "../small.yaml", "--allow-secrets")
        assert code == 0, said


@pytest.mark.parametrize("state", ["run.jsonl", STATE])
def test_a_state_is_rebuilt_whole_or_not_at_all(place, state, monkeypatch):
    server, here = place
    assert here.run(*PLAY, "--state", state, "--until", "a little")[0] == 0
    _lose(server, here)

    with monkeypatch.context() as patch:
        for journal in (JournalFile, ConfigMapJournal):  # as if it died as soon as there is a state
            patch.delattr(journal, "append")
        code, said = here.run("adopt", "../small.yaml", "--context", "test", "--state", state)

    assert code == 0, said
    assert here.run("rollback", state, "-y")[0] == 0
    assert weights(server) == {"v1": 100, "v3": 0}


SCALES = PLAYBOOK.replace("WAIT", "1s").replace(
    "stages:\n", "stages:\n  - {name: grow, scale: {deployment: reviews-v3, replicas: 3}}\n"
)
CANARY = ObjectRef("apps/v1", "Deployment", "bookinfo", "reviews-v3")


def _note(server, run, replicas):
    found = server.world.cluster.get(CANARY)
    note = {"runner/scaled": f'{{"run":"{run}","stage":"grow","before":1}}'}
    changed = {**found, "metadata": {**found["metadata"], "annotations": note}}
    server.world.cluster.replace({**changed, "spec": {**found["spec"], "replicas": replicas}})


def test_another_run_that_scaled_is_named_where_one_is_adopted(tmp_path, capfd, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd) as (server, here, _):
        assert here.run(*PLAY, "--state", "run.jsonl")[0] == 0
        _lose(server, here)
        (tmp_path / "small.yaml").write_text(SCALES)
        _note(server, "abc123", 3)

        code, said = here.run(*ADOPT)

        assert code == 0, said
        assert "run abc123 has scaled a Deployment here too" in said


@pytest.mark.parametrize("stable", ["stable: v1, ", ""])
def test_a_run_that_was_lost_before_it_moved_traffic_is_known_by_what_it_scaled(
    tmp_path, capfd, monkeypatch, stable
):
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, SCALES.replace("stable: v1, ", stable)) as (server, here, _):
        code, said = here.run(*ADOPT)
        assert code == 1
        assert "no run has moved it" in said
        _note(server, "abc123", 3)

        code, said = here.run(*ADOPT)

        assert code == 0, said
        assert "run abc123 has moved no traffic yet" in said
        assert "reviews-v3 was scaled from 1 to 3 by stage 'grow'; a rollback undoes that" in said
        assert here.run("rollback", "run.jsonl", "-y")[0] == 0
        assert server.world.cluster.get(CANARY)["spec"]["replicas"] == 1
