"""A state that is lost, wherever it was kept: play refuses, adopt rebuilds it, and the run goes on or back."""

import re
import shlex

import pytest

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
    pasted = re.search(rf"runner {verb} [^`]*", said).group()
    code, said = here.run(*shlex.split(pasted)[1:], "-y")

    assert code == 0, said
    assert weights(server) == ({"v1": 0, "v3": 100} if verb == "resume" else {"v1": 100, "v3": 0})
