"""Somebody moves the route while nobody plays: whoever takes the run up is told first, and chooses."""

import re
import shlex

import pytest

from runner.ports import ObjectRef
from tests.states.machines import PLAYBOOK, machines, weights

REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")
PLAY = ("play", "../small.yaml", "-y", "--context", "test", "--state", "run.jsonl", "--until", "a little")


@pytest.fixture
def moved(tmp_path, capfd, monkeypatch):
    """A run that stands at 20 %, and a person who has since moved the route to 40 %."""
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, PLAYBOOK.replace("WAIT", "1s")) as (server, here, _):
        assert here.run(*PLAY)[0] == 0
        _moved_by_hand(server)
        yield server, here


def _moved_by_hand(server):
    found = server.world.cluster.get(REVIEWS)
    for destination, weight in zip(found["spec"]["http"][0]["route"], (60, 40), strict=True):
        destination["weight"] = weight
    server.world.registry.update(server.world.present(), found, "kubectl-edit")


def test_resume_does_not_wait_at_a_split_that_is_gone(moved):
    server, here = moved
    before = weights(server)

    code, said = here.run("resume", "run.jsonl", "-y")

    assert code == 7
    assert "was changed by kubectl-edit" in said
    assert "recorded  v1 80 / v3 20\n    live      v1 60 / v3 40" in said
    assert "stage.started" not in (here.folder / "run.jsonl").read_text().partition('"run.resumed"')[2]
    assert weights(server) == before


def test_the_command_that_is_offered_goes_on_from_what_is_live(moved):
    server, here = moved
    offered = re.search(r"runner (resume \S+ --accept-drift \w+)", here.run("resume", "run.jsonl", "-y")[1])
    assert offered

    code, said = here.run(*shlex.split(offered[1]))

    assert code == 0, said
    assert weights(server) == {"v1": 0, "v3": 100}


def test_what_was_accepted_is_not_asked_about_again(moved):
    _, here = moved
    offered = re.search(r"runner (resume \S+ --accept-drift \w+)", here.run("resume", "run.jsonl", "-y")[1])
    assert here.run(*shlex.split(offered[1]), "--until", "pause")[0] == 0

    assert here.run("resume", "run.jsonl", "--until", "everything")[0] == 0


def test_the_way_back_is_open_wherever_the_route_is(moved):
    server, here = moved

    code, said = here.run("rollback", "run.jsonl", "-y")

    assert code == 0, said
    assert weights(server) == {"v1": 100, "v3": 0}
