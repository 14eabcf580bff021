"""The journal in ConfigMaps, as an API server keeps them: conditional appends, full parts sealed, deletions missed."""

import pytest

from runner.engine.events import RunStarted, StageStarted
from runner.errors import DisagreementError, LockedError
from runner.journal import configmap, parts
from runner.journal.configmap import ConfigMapJournal
from runner.journal.parts import ConfigMapName, Parts
from tests.contract.benches import CLUSTERS, NOON
from tests.contract.test_lease import Clock


@pytest.fixture(params=CLUSTERS)
def bench(request):
    with request.param() as made:
        yield made


@pytest.fixture
def place(bench, monkeypatch):
    """Where a state is to lie, in parts that are soon full."""
    for module in (configmap, parts):
        monkeypatch.setattr(module, "PART", 2000)
    return ConfigMapName(bench.namespace, "run-1")


def _filled(bench, place):
    first = RunStarted(NOON, {}, {}, {"file": "y" * 5000}, {}, "digest")
    journal, _ = ConfigMapJournal.create(bench.cluster, Clock(), place, "r1", first)
    for n in range(20):
        journal.append([StageStarted(NOON + n, f"stage {n} " + "x" * 200, 1)])
    return journal


def test_what_is_appended_is_read_and_gone_on_from(bench, place):
    _filled(bench, place)

    journal, record = ConfigMapJournal.resume(bench.cluster, place)
    journal.append([StageStarted(NOON + 20, "stage 20", 1)])

    assert len(record.events) == 21
    assert len(Parts(bench.cluster, place).read()[0].events) == 22
    assert bench.cluster.get(place.part(3))["immutable"] is True


def test_a_second_writer_is_told_so(bench, place):
    first = _filled(bench, place)
    second, _ = ConfigMapJournal.resume(bench.cluster, place)
    second.append([StageStarted(NOON + 20, "stage 20", 1)])

    with pytest.raises(LockedError):
        first.append([StageStarted(NOON + 21, "stage 21", 1)])


@pytest.mark.parametrize("number", [0, 2, "last"])
def test_a_deleted_part_is_missed(bench, place, number):
    _filled(bench, place)
    last = parts.number_of(Parts(bench.cluster, place).read()[1][-1])
    bench.delete(place.part(last if number == "last" else number))

    with pytest.raises(DisagreementError, match="was deleted"):
        Parts(bench.cluster, place).read()
