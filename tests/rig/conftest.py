"""Fixtures of the suite: one cluster for all tests, a namespace for each."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rig.cluster import Bookinfo, Cluster
from rig.figures import Figures

QUICK = "RUNNER_TEST_QUICK"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "quick: belongs to `make test-rig-quick`")
    config.addinivalue_line("markers", "rig_only: turns knobs that only a rig of ours has")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With RUNNER_TEST_QUICK, leave of this folder's tests only those marked quick."""
    if not os.environ.get(QUICK):
        return
    here = Path(__file__).parent
    left_out = [
        item for item in items if here in item.path.parents and item.get_closest_marker("quick") is None
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster that RUNNER_TEST_KUBECONFIG names."""
    found = Cluster.from_environment()
    if found is None:
        pytest.skip(
            "no cluster: use `make test-rig`, or `python tests/rig run -- pytest ...`, or set RUNNER_TEST_KUBECONFIG"
        )
    return found


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Collects what tests measure; the full suite on a rig writes it down."""
    collected = Figures()
    yield collected
    if collected.tables and not os.environ.get(QUICK) and os.environ.get("RUNNER_TEST_FIGURES"):
        collected.write()


@pytest.fixture
def bookinfo(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Bookinfo]:
    """An empty namespace in the mesh; its routes go at once, the rest of it in its own time."""
    if not cluster.gateway:
        pytest.skip("no mesh: RUNNER_TEST_GATEWAY is not set")
    if request.node.get_closest_marker("rig_only") and not cluster.rig:
        pytest.skip("this turns knobs that only a rig of ours has")
    one = Bookinfo(cluster, f"bookinfo-{secrets.token_hex(3)}")
    cluster.kubectl("create", "namespace", one.namespace)
    cluster.kubectl("label", "namespace", one.namespace, "istio-injection=enabled")
    yield one
    one.remove_all()


@pytest.fixture
def installed(bookinfo: Bookinfo) -> Bookinfo:
    """Bookinfo serving, all traffic on v1."""
    bookinfo.install()
    return bookinfo
