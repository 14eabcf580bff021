"""The Role that `rbac` prints is enough for a run and its way back, and each of its permissions is looked for."""

import copy

import pytest
import yaml

from tests.states.machines import PLAYBOOK, STATE, machines, weights

PLAY = ("play", "../small.yaml", "-y", "--context", "test", "--state", STATE)


@pytest.fixture
def place(tmp_path, capfd, monkeypatch):
    """A cluster whose user has the Role that `rbac` prints."""
    monkeypatch.delenv("CI", raising=False)
    with machines(tmp_path, capfd, PLAYBOOK.replace("WAIT", "1s")) as (server, here, there):
        code, said = here.run("rbac", "../small.yaml", "--state", STATE)
        assert code == 0, said
        server.roles = list(yaml.safe_load_all(said))
        yield server, here, there


def test_the_least_role_is_enough_for_a_run_and_its_way_back(place):
    server, here, there = place

    assert here.run(*PLAY, "--until", "a little")[0] == 0
    code, said = there.run("resume", STATE, "-y")
    assert code == 0, said
    code, said = there.run("rollback", STATE, "-y")
    assert code == 0, said
    assert weights(server) == {"v1": 100, "v3": 0}


def test_a_state_in_a_namespace_of_its_own_has_a_role_of_its_own(place):
    server, here, _ = place

    server.world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "states"}})
    _, said = here.run("rbac", "../small.yaml", "--state", "configmap:states/release-1")

    roles = list(yaml.safe_load_all(said))
    assert {role["metadata"]["namespace"] for role in roles} == {"bookinfo", "states"}
    server.roles = roles
    code, said = here.run(*PLAY[:-1], "configmap:states/release-1")
    assert code == 0, said


def _without(roles, at):
    left = copy.deepcopy(roles)
    role, rule, verb = at
    rule = left[role]["rules"][rule]
    rule["verbs"].remove(verb)
    return left, verb, rule


def _every(roles):
    return [
        (n, m, verb)
        for n, role in enumerate(roles)
        for m, rule in enumerate(role["rules"])
        for verb in rule["verbs"]
    ]


def test_each_missing_permission_is_named_before_anything_is_touched(place):
    server, here, _ = place
    roles = server.roles
    before = weights(server)

    for at in _every(roles):
        server.roles, verb, rule = _without(roles, at)
        read_first = verb == "get" and rule["resources"][0] in ("configmaps", "virtualservices")
        code, said = here.run(*PLAY)
        assert code == 1, (at, said)
        assert f"{verb} {rule['resources'][0]}" in said, (verb, rule, said)
        assert read_first or "runner rbac ../small.yaml --state" in said, (verb, rule, said)
        assert weights(server) == before
    assert not [seen for seen in server.seen if seen.method == "POST" and "configmaps" in seen.path]


def test_what_was_taken_away_is_named_before_a_run_is_gone_on_with(place):
    server, here, there = place
    assert here.run(*PLAY, "--until", "a little")[0] == 0
    roles = server.roles

    for resource in ("configmaps", "leases"):
        at = next(
            (n, m, "update")
            for n, role in enumerate(roles)
            for m, rule in enumerate(role["rules"])
            if resource in rule["resources"] and "update" in rule["verbs"]
        )
        server.roles = _without(roles, at)[0]
        code, said = there.run("resume", STATE, "-y")
        assert code == 1, said
        assert f"update {resource}" in said
    assert weights(server) == {"v1": 80, "v3": 20}
