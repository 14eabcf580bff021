"""A journal in the cluster keeps what one on a disk keeps."""

from collections import Counter

import pytest

from runner.engine.events import RunStarted, StageStarted
from runner.errors import (
    DisagreementError,
    LockedError,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from runner.journal import configmap, parts
from runner.journal.configmap import ConfigMapJournal
from runner.journal.parts import PART, ConfigMapName, Parts, place_of, text_of
from tests.fakes.world import NOON, FakeClock, FakeCluster

FIRST = RunStarted(NOON, {}, {}, {}, {}, "digest")
PLACE = ConfigMapName("ci", "run-1")


@pytest.fixture
def small(monkeypatch):
    """Parts that are soon full."""
    for module in (configmap, parts):
        monkeypatch.setattr(module, "PART", 2000)


def begun(cluster, first=FIRST, run="r1"):
    return ConfigMapJournal.create(cluster, FakeClock(), PLACE, run, first)[0]


def stage(n):
    return StageStarted(NOON + n, f"stage {n} " + "x" * 200, 1)


def recorded(cluster):
    return [event.stage.split()[1] for event in Parts(cluster, PLACE).read()[0].events[1:]]


def filled(cluster, count=30):
    journal = begun(cluster)
    for n in range(count):
        journal.append([stage(n)])
    return journal


def part(cluster, number):
    return cluster.get(PLACE.part(number))


def counted(cluster):
    """Calls from here on, by verb."""
    calls = Counter()
    cluster.before.append(lambda verb, what: calls.update([verb]))
    return calls


def test_parts_are_sealed_and_nothing_is_dropped(small):
    cluster = FakeCluster()

    filled(cluster)

    assert recorded(cluster) == [str(n) for n in range(30)]
    assert part(cluster, 4) is not None
    assert all(part(cluster, n)["immutable"] for n in range(4))
    assert "immutable" not in Parts(cluster, PLACE).read()[1][-1]


def test_ten_thousand_events_take_one_call_each_and_are_read_with_one_a_part():
    cluster = FakeCluster()
    journal = begun(cluster)
    calls = counted(cluster)

    for n in range(10_000):
        journal.append([stage(n)])

    count = next(n for n in range(100) if part(cluster, n) is None)
    assert calls["replace"] + calls["create"] == 10_000 + 2 * (count - 1)  # a full part is closed, and sealed
    assert all(len(text_of(part(cluster, n))) <= PART for n in range(count))
    assert calls["get"] == 2 * count + 1  # of this test itself
    calls.clear()
    assert len(Parts(cluster, PLACE).read()[0].events) == 10_001
    assert calls == {"get": count}


def test_who_looks_again_reads_no_sealed_part_twice(small):
    cluster = FakeCluster()
    journal = filled(cluster)
    reader = parts.Parts(cluster, PLACE)
    reader.read()
    calls = counted(cluster)

    journal.append([stage(30)])
    record, _ = reader.read()

    assert len(record.events) == 32
    assert calls["get"] == 1


def test_many_events_at_once_lie_in_several_parts(small):
    cluster = FakeCluster()
    journal = begun(cluster)

    journal.append([stage(n) for n in range(30)])
    journal.append([stage(30)])

    assert recorded(cluster) == [str(n) for n in range(31)]
    assert all(len(text_of(part(cluster, n))) <= 2000 for n in range(4))


def test_a_first_line_of_any_length_is_kept():
    cluster = FakeCluster()
    long = RunStarted(NOON, {}, {}, {"files": "y" * 3 * PART}, {}, "digest")

    journal = begun(cluster, long)
    journal.append([stage(0)])

    record, kept = Parts(cluster, PLACE).read()
    assert record.events[0] == long
    assert len(record.events) == 2
    assert kept[-1]["metadata"]["name"] == "run-1-0003"
    assert all(len(text_of(part(cluster, n))) <= PART for n in range(4))


def test_a_long_first_line_is_there_whole_or_not_at_all():
    cluster = FakeCluster()
    cluster.before.append(_dies_at("create", "ConfigMap/run-1-0000"))

    with pytest.raises(KeyboardInterrupt):
        begun(cluster, RunStarted(NOON, {}, {}, {"files": "y" * 3 * PART}, {}, "digest"))

    cluster.before.clear()
    assert part(cluster, 0) is None
    with pytest.raises(DisagreementError, match="left of another run"):
        begun(cluster, run="r2")


def _dies_at(verb, what):
    def hook(*met):
        if met == (verb, what):
            raise KeyboardInterrupt

    return hook


def test_a_second_writer_is_noticed():
    cluster = FakeCluster()
    first = begun(cluster)
    second, _ = ConfigMapJournal.resume(cluster, PLACE)
    second.append([stage(1)])

    with pytest.raises(LockedError, match="another process"):
        first.append([stage(2)])


def test_a_second_writer_in_the_next_part_is_noticed(small):
    cluster = FakeCluster()
    first = filled(cluster, 4)
    second, _ = ConfigMapJournal.resume(cluster, PLACE)
    for n in range(4, 12):
        second.append([stage(n)])

    with pytest.raises(LockedError, match="another process"):
        first.append([stage(99)])
    assert recorded(cluster) == [str(n) for n in range(12)]


def test_two_writers_at_a_full_part_are_told_apart(small):
    cluster = FakeCluster()
    first = begun(cluster)
    while part(cluster, 1) is None or first._fits("x" * 400):
        first.append([stage(1)])
    second, _ = ConfigMapJournal.resume(cluster, PLACE)
    second.append([stage(5)])

    with pytest.raises(LockedError, match="another process"):
        first.append([stage(99)])


def test_a_label_that_somebody_adds_disturbs_nobody():
    cluster = FakeCluster()
    journal = begun(cluster)
    cluster.edit(
        "ConfigMap", "ci", "run-1-0000", lambda found: found["metadata"].update(labels={"team": "a"})
    )

    journal.append([stage(1)])

    assert recorded(cluster) == ["1"]
    assert part(cluster, 0)["metadata"]["labels"] == {"team": "a"}


def test_a_place_is_taken_once():
    cluster = FakeCluster()
    begun(cluster)

    with pytest.raises(DisagreementError, match="holds a run"):
        begun(cluster)


def test_a_resumed_journal_goes_on_in_the_chain():
    cluster = FakeCluster()
    begun(cluster).append([stage(1)])

    journal, record = ConfigMapJournal.resume(cluster, PLACE)
    journal.append([stage(2)])

    assert len(record.events) == 2
    assert recorded(cluster) == ["1", "2"]


@pytest.mark.parametrize("dies_at", [("create", "ConfigMap/run-1-0001"), ("replace", "ConfigMap/run-1-0001")])
def test_a_crash_between_two_parts_is_gone_on_from(small, dies_at):
    cluster = FakeCluster()
    cluster.before.append(_dies_at(*dies_at))
    with pytest.raises(KeyboardInterrupt):
        filled(cluster)
    cluster.before.clear()

    journal, record = ConfigMapJournal.resume(cluster, PLACE)
    left = len(record.events) - 1
    for n in range(left, 30):
        journal.append([stage(n)])

    assert recorded(cluster) == [str(n) for n in range(30)]
    assert part(cluster, 0)["immutable"]


def _line(n):
    return lambda found: found["data"].update({parts.KEY: "".join(text_of(found).splitlines(True)[n:])})


DAMAGE = {
    "the last part deleted": (
        lambda c, n: c._objects.pop(("ConfigMap", "ci", f"run-1-{n:04d}")),
        "was deleted",
    ),
    "a part in between deleted": (
        lambda c, n: c._objects.pop(("ConfigMap", "ci", "run-1-0001")),
        "was deleted",
    ),
    "the first part deleted": (lambda c, n: c._objects.pop(("ConfigMap", "ci", "run-1-0000")), "was deleted"),
    "a line dropped": (
        lambda c, n: c.edit("ConfigMap", "ci", "run-1-0002", _line(1)),
        "does not follow line 1.*in ConfigMap run-1-0002",
    ),
    "a letter changed": (
        lambda c, n: c.edit(
            "ConfigMap",
            "ci",
            "run-1-0001",
            lambda f: f["data"].update({parts.KEY: text_of(f).replace("x", "y", 1)}),
        ),
        "checksum does not match.*in ConfigMap run-1-0001",
    ),
    "a line cut": (
        lambda c, n: c.edit(
            "ConfigMap", "ci", f"run-1-{n:04d}", lambda f: f["data"].update({parts.KEY: text_of(f)[:-5]})
        ),
        "damaged",
    ),
    "two parts swapped": (lambda c, n: _swap(c), "does not follow"),
    "a foreign key": (
        lambda c, n: c.edit("ConfigMap", "ci", "run-1-0001", lambda f: f["data"].update(note="hello")),
        "holds note",
    ),
    "a binary key": (
        lambda c, n: c.edit("ConfigMap", "ci", "run-1-0001", lambda f: f.update(binaryData={"a": "eA=="})),
        "holds a",
    ),
    "its key gone": (
        lambda c, n: c.edit("ConfigMap", "ci", "run-1-0001", lambda f: f.update(data=None)),
        "has no journal.jsonl",
    ),
    "a part of another run": (lambda c, n: _from_another_run(c), "does not follow"),
}


def _swap(cluster):
    texts = [text_of(part(cluster, n)) for n in (1, 2)]
    for n, text in zip((2, 1), texts, strict=True):
        cluster.edit(
            "ConfigMap", "ci", f"run-1-{n:04d}", lambda f, text=text: f["data"].update({parts.KEY: text})
        )


def _from_another_run(cluster):
    other = FakeCluster()
    journal = begun(other, run="r2")
    for n in range(30):
        journal.append([stage(n)])
    text = text_of(part(other, 1))
    cluster.edit("ConfigMap", "ci", "run-1-0001", lambda f: f["data"].update({parts.KEY: text}))


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused_in_words(small, damage):
    cluster = FakeCluster()
    filled(cluster)
    last = next(n for n in range(100) if part(cluster, n) is None) - 1
    do, said = DAMAGE[damage]

    do(cluster, last)

    for look in (lambda *place: Parts(*place).read(), ConfigMapJournal.resume):
        with pytest.raises(DisagreementError, match=f"(?s){said}") as refused:
            look(cluster, PLACE)
        assert refused.value.hint


def test_damage_under_a_living_run_stops_it(small):
    for damage in ("a letter changed", "its key gone"):
        cluster = FakeCluster()
        journal = filled(cluster, 8)
        DAMAGE[damage][0](cluster, 1)
        with pytest.raises(DisagreementError, match="ConfigMap ci/run-1-0001"):
            journal.append([stage(8)])

    cluster = FakeCluster()
    journal = filled(cluster, 3)
    cluster.replace = _gone(cluster)
    with pytest.raises(DisagreementError, match="somebody deleted ConfigMap ci/run-1-0000"):
        journal.append([stage(3)])


def _gone(cluster):
    def replace(changed):
        from runner.errors import ConflictError

        cluster._objects.clear()
        raise ConflictError("it has been deleted")

    return replace


def test_what_the_api_server_refuses_is_an_error_at_once():
    cluster = FakeCluster()
    journal = begun(cluster)

    def forbidden(changed):
        raise RunnerError("configmaps is forbidden")

    cluster.replace = forbidden
    with pytest.raises(RunnerError, match="forbidden") as refused:
        journal.append([stage(1)])
    assert not isinstance(refused.value, TransientError)


def test_a_lost_answer_of_the_first_write_is_looked_up():
    cluster = FakeCluster()
    create = cluster.create

    def lost(manifest):
        create(manifest)
        raise UnknownOutcomeError("connection reset")

    cluster.create = lost
    journal = begun(cluster)
    journal.append([stage(1)])

    assert recorded(cluster) == ["1"]


def test_a_place_is_named_whole():
    assert place_of("runs/x.jsonl") is None
    assert place_of("configmap:ci/run-1") == PLACE
    for text in (
        "configmap:ci",
        "configmap:/x",
        "configmap:ci/",
        "configmap:CI/x",
        "configmap:ci/a_b",
        "configmap:a/b/c",
    ):
        with pytest.raises(UsageError, match="configmap:NAMESPACE/NAME"):
            place_of(text)


def test_no_state_is_said_to_be_none():
    with pytest.raises(RunnerError, match="there is no state in configmap:ci/run-1"):
        Parts(FakeCluster(), PLACE).read()
