"""What a real API server says no with, and what a run makes of it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from runner.adapters.api_server import ApiServer, Request
from runner.adapters.kubeconfig import Choice, connect
from runner.adapters.kubernetes import KubernetesCluster
from runner.adapters.login import Token
from runner.errors import ConflictError, RunnerError, TransientError
from runner.model.config import Config
from runner.ports import ObjectRef
from runner.secrecy import Secret
from tests.adapters.loopback import refused_port
from tests.contract.benches import KUBECONFIG, RealBench, real

pytestmark = pytest.mark.rig

AUTHORITY = Path(__file__).parents[1] / "adapters" / "tls" / "authority.pem"
REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", "default", "reviews")


def login(context: str | None = None):
    return connect(Choice(kubeconfig=KUBECONFIG, context=context), Config("none"), os.environ).login


def refused(found) -> RunnerError:
    with pytest.raises(RunnerError) as caught:
        KubernetesCluster(ApiServer(found)).get(REVIEWS)
    assert not isinstance(caught.value, ConflictError)
    return caught.value


def test_credentials_that_nobody_knows():
    error = refused(replace(login(), proof=Token(Secret("nobody"))))

    assert "does not accept these credentials (401)" in error.message
    assert not isinstance(error, TransientError)


@pytest.mark.skipif("RUNNER_TEST_RIG" not in os.environ, reason="only the rig has users without rights")
def test_a_user_without_the_right():
    error = refused(login("rig-somebody"))

    assert 'User "somebody" cannot get resource' in error.message
    assert "kubectl auth can-i get virtualservices.networking.istio.io/reviews -n default" in (
        error.hint or ""
    )


def test_a_server_that_is_not_the_one_of_the_kubeconfig():
    error = refused(replace(login(), authorities=AUTHORITY.read_text()))

    assert "is not trusted" in error.message
    assert not isinstance(error, TransientError)


def test_a_server_that_is_not_there():
    assert isinstance(refused(replace(login(), server=f"https://127.0.0.1:{refused_port()}")), TransientError)


def config_map(bench: RealBench, name: str, **metadata: object) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": bench.namespace, **metadata},
    }


def test_a_namespace_that_is_being_deleted():
    with real() as bench:
        kept = bench.cluster.create(config_map(bench, "kept", finalizers=["example.org/tests"]))
        path = ("api", "v1", "namespaces", bench.namespace)
        bench.server.call(Request("DELETE", path))

        with pytest.raises(RunnerError) as caught:
            bench.cluster.apply(config_map(bench, "late"))
        now = bench.cluster.get(ObjectRef("v1", "ConfigMap", bench.namespace, "kept")) or kept
        bench.cluster.replace({**now, "metadata": {**now["metadata"], "finalizers": []}})

    assert "is being terminated" in caught.value.message
    assert f"namespace {bench.namespace} is being deleted" in (caught.value.hint or "")


def test_a_name_that_is_none():
    with real() as bench, pytest.raises(RunnerError) as caught:
        bench.cluster.create(config_map(bench, "No Name"))

    assert "Invalid value" in caught.value.message


def test_an_object_that_is_too_large():
    with real() as bench, pytest.raises(RunnerError) as caught:
        bench.cluster.create({**config_map(bench, "large"), "data": {"x": "x" * (3 << 20)}})

    assert not isinstance(caught.value, ConflictError)
