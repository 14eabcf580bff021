"""The Access port on a real API server: what RBAC grants, and nothing else."""

import os

import pytest

from runner.adapters.access import ClusterAccess
from runner.adapters.api_server import ApiServer
from runner.adapters.kubeconfig import Choice, connect
from runner.model.config import Config
from runner.ports import Permission
from tests.contract.benches import KUBECONFIG, real

pytestmark = [
    pytest.mark.rig,
    pytest.mark.skipif("RUNNER_TEST_RIG" not in os.environ, reason="only the rig has users without rights"),
]


def access(context: str) -> ClusterAccess:
    choice = Choice(kubeconfig=KUBECONFIG, context=context)
    return ClusterAccess(ApiServer(connect(choice, Config("none"), os.environ).login))


def test_an_administrator_misses_nothing():
    wanted = [Permission("patch", "apps", "deployments", "default", "d"), Permission("list", "", "nodes")]

    assert access("rig").missing(wanted) == ()


def test_a_role_grants_what_it_says_and_nothing_else():
    with real() as bench:
        read, write, elsewhere = (
            Permission("get", "networking.istio.io", "virtualservices", bench.namespace, "reviews"),
            Permission("update", "networking.istio.io", "virtualservices", bench.namespace, "reviews"),
            Permission("get", "networking.istio.io", "virtualservices", "default", "reviews"),
        )
        before = access("rig-somebody").missing([read, write, elsewhere])
        for kind, rest in {
            "Role": {
                "rules": [
                    {
                        "apiGroups": ["networking.istio.io"],
                        "resources": ["virtualservices"],
                        "resourceNames": ["reviews"],
                        "verbs": ["get"],
                    }
                ]
            },
            "RoleBinding": {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
                "subjects": [{"kind": "User", "name": "somebody", "apiGroup": "rbac.authorization.k8s.io"}],
            },
        }.items():
            metadata = {"name": "reader", "namespace": bench.namespace}
            manifest = {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": metadata,
                **rest,
            }
            bench.cluster.apply(manifest)

        after = access("rig-somebody").missing([read, write, elsewhere])

    assert before == (read, write, elsewhere)
    assert after == (write, elsewhere)
