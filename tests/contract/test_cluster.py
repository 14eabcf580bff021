"""The Cluster port, one suite for every implementation; the cases are data (see `steps`)."""

import pytest

from tests.contract.benches import CLUSTERS
from tests.contract.steps import Case, cases, hold


@pytest.mark.parametrize("implementation", CLUSTERS)
@pytest.mark.parametrize("case", cases("cluster"), ids=lambda case: case.name)
def test_cluster_keeps_the_promise(case: Case, implementation) -> None:
    with implementation() as bench:
        if case.needs == "webhook" and not bench.validates_istio():
            pytest.skip("no webhook of Istio's looks on here")

        hold(case, bench)
