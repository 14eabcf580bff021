"""A run belongs to the cluster that it began in, whatever a context or an address is called by now."""

import pytest

from runner.sandbox.kinds import Key
from tests.states.machines import PLAYBOOK, machines, weights

PLAY = ("play", "../small.yaml", "-y", "--context", "test", "--state", "run.jsonl")
WAITS_FIRST = PLAYBOOK.replace("WAIT", "1s").replace("stages:\n", "stages:\n  - {name: first, wait: 1s}\n")


def _made_anew(server):
    """Another cluster at the same address."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}
    server.world.registry.delete(server.world.present(), Key("", "Namespace", "", "kube-system"))
    server.world.cluster.create(namespace)


@pytest.mark.parametrize("verb", ["resume", "rollback"])
@pytest.mark.parametrize("until", ["first", "a little"])
def test_a_run_is_not_taken_up_in_another_cluster(tmp_path, capfd, monkeypatch, verb, until):
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, WAITS_FIRST) as (server, here, _):
        assert here.run(*PLAY, "--until", until)[0] == 0
        before = weights(server)
        _made_anew(server)

        code, said = here.run(verb, "run.jsonl", "-y")

        assert code == 7, said
        assert "began in another cluster" in said
        assert "--context NAME" in said
        assert weights(server) == before
