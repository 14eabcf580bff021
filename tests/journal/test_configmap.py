"""A journal in the cluster keeps what one on a disk keeps."""

import pytest

from runner.engine.events import RunStarted, StageStarted
from runner.errors import DisagreementError, UnknownOutcomeError
from runner.journal import configmap
from runner.journal.configmap import ConfigMapJournal, Place, place_of, read_parts
from tests.fakes.world import NOON, FakeClock, FakeCluster

FIRST = RunStarted(NOON, {}, {}, {}, {}, "digest")
PLACE = Place("ci", "run-1")


def _journal(cluster):
    return ConfigMapJournal.create(cluster, FakeClock(), PLACE, "r1", FIRST)[0]


def _stage(n):
    return StageStarted(NOON + n, f"stage {n} " + "x" * 200, 1)


def test_parts_are_sealed_and_nothing_is_dropped(monkeypatch):
    monkeypatch.setattr(configmap, "PART", 2000)
    cluster = FakeCluster()
    journal = _journal(cluster)

    for n in range(20):
        journal.append([_stage(n)])

    record, last = read_parts(cluster, PLACE)
    assert [event.stage for event in record.events[1:]] == [_stage(n).stage for n in range(20)]
    assert last["metadata"]["name"] > "run-1-0003"


def test_a_lost_answer_is_not_written_twice():
    cluster = FakeCluster()
    journal = _journal(cluster)
    replace = cluster.replace

    def lost(changed):
        replace(changed)
        cluster.replace = replace
        raise UnknownOutcomeError("connection reset")

    cluster.replace = lost
    journal.append([_stage(1)])
    journal.append([_stage(2)])

    assert len(read_parts(cluster, PLACE)[0].events) == 3


def test_a_second_writer_is_noticed():
    cluster = FakeCluster()
    first = _journal(cluster)
    second, _ = ConfigMapJournal.resume(cluster, FakeClock(), PLACE)
    second.append([_stage(1)])

    with pytest.raises(DisagreementError, match="another process"):
        first.append([_stage(2)])


def test_a_place_is_taken_once():
    cluster = FakeCluster()
    _journal(cluster)

    with pytest.raises(DisagreementError, match="holds a run"):
        _journal(cluster)


def test_a_resumed_journal_goes_on_in_the_chain():
    cluster = FakeCluster()
    _journal(cluster).append([_stage(1)])

    journal, record = ConfigMapJournal.resume(cluster, FakeClock(), PLACE)
    journal.append([_stage(2)])

    assert len(record.events) == 2
    assert len(read_parts(cluster, PLACE)[0].events) == 3


def test_a_place_is_named_whole():
    assert place_of("runs/x.jsonl") is None
    assert place_of("configmap:ci/run-1") == PLACE
    with pytest.raises(Exception, match="configmap:NAMESPACE/NAME"):
        place_of("configmap:ci")
