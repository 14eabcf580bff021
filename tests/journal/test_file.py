"""The state file: durable, chained, and never believed when it does not check."""

import json
import os
import shutil
import stat
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    MeasurementTaken,
    Ref,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageStarted,
)
from runner.engine.observations import Order, OrderKind
from runner.errors import DisagreementError, LockedError, RunnerError
from runner.journal import JournalFile, OrdersFile, give_order, read
from runner.journal.codec import Link, decode, encode, encoded, moment, rfc3339
from runner.model.checks import Verdict
from runner.model.split import split_of
from tests.fakes.release import Play
from tests.fakes.world import NOON

FIRST = RunStarted(NOON, {"metadata": {"name": "x"}}, {}, {}, {}, "digest", by="ann")
REF = Ref("a", 1, "VirtualService", "ns", "reviews", 1)
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "state.v1.schema.json").read_text())


@pytest.fixture
def state(tmp_path):
    journal, _ = JournalFile.create(tmp_path / "runs" / "r1.jsonl", "r1", FIRST)
    journal.append([StageStarted(NOON + 1, "a", 1)])
    journal.append(
        [SplitChanged(NOON + 2, "reviews", None, split_of({"v1": 100})), RunResumed(NOON + 3, "bob")]
    )
    journal.close()
    return journal.path


def test_what_was_appended_is_read_back(state):
    record = read(state)

    assert record.run == "r1"
    assert [type(event).__name__ for event in record.events] == [
        "RunStarted",
        "StageStarted",
        "SplitChanged",
        "RunResumed",
    ]
    assert record.events[0] == FIRST


def parts(event):
    """What an event holds, but for its time, which is kept to the millisecond, as it is when it was read."""
    named = {field.name: getattr(event, field.name) for field in fields(event)} | {"at": round(event.at, 3)}
    return (
        named | {"evidence": json.loads(json.dumps(dict(named["evidence"])))}
        if "evidence" in named
        else named
    )


def test_every_event_of_a_run_survives_the_file_and_fits_the_schema():
    play = Play(answer=lambda _, at: 0.5 if at > NOON + 30 else 0.0)
    play.start()
    validator = jsonschema.Draft7Validator(SCHEMA)
    out, back = Link("r1"), None

    for event in play.journal.events:
        line, out = encode(event, out)
        decoded, back = decode(line, back)
        assert type(decoded) is type(event)
        assert parts(decoded) == parts(event)
        assert encode(decoded, Link("r1"))[0] == encode(event, Link("r1"))[0]
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []
    assert len({type(event) for event in play.journal.events}) > 8


def forged(line, old, new):
    """*line* changed, with the checksum that it would have."""
    from runner.journal.codec import checksum

    changed = line.replace(old, new)
    body = changed[: changed.rindex(',"sum"')] + "}"
    return f'{body[:-1]},"sum":"{checksum(body)}"}}'


def test_evidence_is_read_when_it_is_asked_for_and_then_as_it_was_written():
    facts = {"facts": {"evidence": {"prev": 'x","prev":"y'}}, "queries": {}}
    reason = 'says ,"evidence":{ and "prev":"0"'
    taken = MeasurementTaken(NOON, "errors", 0.5, Verdict.PASSED, reason, "look", None, facts)

    event, _ = decode(encode(taken, Link("r1"))[0], None)

    assert event == taken
    assert (event.reason, dict(event.evidence)) == (reason, facts)


def test_what_json_cannot_hold_is_null_wherever_it_stands():
    facts = {"values": [1.5, float("nan"), {"deep": (float("inf"), "text")}]}
    taken = MeasurementTaken(NOON, "errors", float("nan"), Verdict.INCONCLUSIVE, "", "look", None, facts)

    event, _ = decode(encode(taken, Link("r1"))[0], None)

    assert event.value is None
    assert dict(event.evidence) == {"values": [1.5, None, {"deep": [None, "text"]}]}
    assert len(event.evidence) == 1


def test_a_whole_journal_is_encoded_as_it_stands_in_its_file(state):
    record = read(state)

    assert encoded(record.run, record.events) == state.read_text().splitlines()


@pytest.mark.parametrize(("after", "written"), [(0.1239, "00.124Z"), (0.9996, "01.000Z"), (0.0, "00.000Z")])
def test_times_are_rounded_to_the_millisecond_and_read_back(after, written):
    said = rfc3339(NOON + after)

    assert said == f"2026-01-01T12:00:{written}"
    assert moment(said) == round(NOON + after, 3)


def test_what_a_playbook_calls_evidence_is_no_measurement():
    first = RunStarted(
        NOON, {"event": "measurement.taken", "evidence": {"a": 1}}, {"evidence": 2}, {}, {}, "d"
    )

    assert decode(encode(first, Link("r1"))[0], None)[0] == first


def test_forged_evidence_is_told_in_words_when_it_is_read():
    taken = MeasurementTaken(NOON, "errors", 0.5, Verdict.PASSED, "", "look", None, {"facts": {}})
    event, _ = decode(forged(encode(taken, Link("r1"))[0], '{"facts":{}}', "[}"), None)

    with pytest.raises(DisagreementError, match="evidence"):
        event.evidence.get("facts")


def test_state_is_private(state):
    journal, _ = JournalFile.resume(state)
    journal.close()
    beside = state.parent.iterdir()

    assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700


def test_a_torn_last_line_is_cut_and_the_file_goes_on(state):
    whole = state.read_bytes()
    state.write_bytes(whole + b'{"v":1,"seq":5,"at"')

    journal, record = JournalFile.resume(state)
    journal.append([StageStarted(NOON + 9, "b", 1)])
    journal.close()

    assert len(record.events) == 4
    assert len(read(state).events) == 5
    assert state.read_bytes().startswith(whole)


def test_every_flipped_bit_is_refused(state):
    whole = state.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[position] ^= 1 << bit
            state.write_bytes(changed)
            with pytest.raises(DisagreementError):
                read(state)


@pytest.mark.parametrize("change", ["drop", "repeat", "swap"])
def test_changed_order_of_lines_is_refused(state, change):
    lines = state.read_bytes().splitlines(keepends=True)
    changed = {
        "drop": [lines[0], *lines[2:]],
        "repeat": [*lines[:2], *lines[1:]],
        "swap": [lines[0], lines[2], lines[1], lines[3]],
    }[change]
    state.write_bytes(b"".join(changed))

    with pytest.raises(DisagreementError):
        read(state)


def test_another_format_is_named(state):
    state.write_text(forged(encode(FIRST, Link("r1"))[0], '"v":1', '"v":2') + "\n")

    with pytest.raises(DisagreementError, match="format 2"):
        read(state)


def test_a_format_that_is_checked_otherwise_is_named_too(state):
    state.write_text(state.read_text().replace('"v":1', '"v":2'))

    with pytest.raises(
        DisagreementError, match="another version of runner wrote this state file: it is of format 2"
    ):
        read(state)


@pytest.mark.parametrize(
    ("event", "said", "instead"),
    [
        (StageStarted(NOON, "a", 1), '"stage":"a"', '"stage":["a"]'),
        (StageStarted(NOON, "a", 1), '"attempt":1', '"attempt":true'),
        (RunResumed(NOON, "bob"), '"by":"bob"', '"by":null'),
        (RunResumed(NOON, "bob"), '"by":"bob"', '"by":NaN'),
        (SplitChanged(NOON, "r", None, split_of({"v1": 100})), '{"v1":100}', "5"),
        (EffectDone(NOON, REF, {"replicas": 1}), '"replicas":1', '"replicas":"all"'),
        (EffectDone(NOON, REF, {"replicas": 1}), '"name":"reviews"', '"name":{}'),
        (EffectIntended(NOON, REF, {"split": {"v1": 100}}), '{"v1":100}', '{"v1":99}'),
        (EffectIntended(NOON, REF, {"a": 1}, {"splits": {}}), '"splits":{}', '"splits":{"r":1}'),
        (MeasurementTaken(NOON, "c", 0.5, Verdict.PASSED, ""), '"value":0.5', '"value":1e999'),
        (MeasurementTaken(NOON, "c", 0.5, Verdict.PASSED, ""), '"value":0.5', f'"value":{"9" * 400}'),
        (MeasurementTaken(NOON, "c", 0.5, Verdict.PASSED, ""), '"value":0.5', '"value":NaN'),
    ],
)
def test_a_line_whose_sum_fits_but_whose_values_do_not_is_damage(state, event, said, instead):
    first, link = encode(FIRST, Link("r1"))
    state.write_text(f"{first}\n{forged(encode(event, link)[0], said, instead)}\n")

    with pytest.raises(DisagreementError, match=":2: the state file is damaged"):
        read(state)


def test_one_writer_at_a_time(state):
    journal, _ = JournalFile.resume(state)

    with pytest.raises(
        LockedError, match=rf"\(pid {os.getpid()}, since 2\d+-\d\d-\d\d \d\d:\d\d:\d\d UTC\)"
    ) as told:
        JournalFile.resume(state)
    assert f"`runner abort {state}`" in str(told.value.hint)
    journal.close()


def test_a_state_file_never_appears_over_another(state):
    with pytest.raises(RunnerError, match="exists"):
        JournalFile.create(state, "r2", FIRST)

    assert read(state).run == "r1"


def test_a_full_disk_is_told_and_nothing_more_is_written():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    from filelock import FileLock

    descriptor = os.open("/dev/full", os.O_WRONLY)
    journal = JournalFile(Path("/dev/full"), FileLock("/tmp/unused.lock"), descriptor, Link("r1"))

    for _ in range(2):
        with pytest.raises(RunnerError, match="No space left"):
            journal.append([StageStarted(NOON, "a", 1)])
    os.close(descriptor)


TAKEN_AWAY = {
    "is gone": lambda path: path.unlink(),
    "is gone: Not a directory": lambda path: (shutil.rmtree(path.parent), path.parent.touch()),
    "is another file": lambda path: shutil.copy(path, path.with_name("copy")).replace(path),
    "was changed": lambda path: os.truncate(path, 100),
}


@pytest.mark.parametrize("what", TAKEN_AWAY)
def test_nothing_more_is_recorded_where_nobody_would_find_it(state, what):
    journal, _ = JournalFile.resume(state)
    TAKEN_AWAY[what](state)

    for _ in range(2):
        with pytest.raises(DisagreementError, match=f"which this process writes, {what}"):
            journal.append([StageStarted(NOON + 9, "b", 1)])
    journal.close()


def test_a_write_that_the_disk_takes_in_pieces_is_whole(state, monkeypatch):
    journal, _ = JournalFile.resume(state)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    journal.append([StageStarted(NOON + 9, "b", 1), StageStarted(NOON + 10, "b", 2)])
    journal.close()

    assert len(read(state).events) == 6


def test_orders_reach_only_who_was_there(state):
    give_order(state, Order(OrderKind.ABORT, "old"))
    orders = OrdersFile(state)

    give_order(state, Order(OrderKind.APPROVE, "ann", "looks well"))

    assert orders.poll() == (Order(OrderKind.APPROVE, "ann", "looks well"),)
    assert orders.poll() == ()


def test_orders_that_are_none_are_passed_over(state):
    orders = OrdersFile(state)
    Path(f"{state}.orders").write_text('nonsense\n{"kind":"fly","by":"x"}\n{"kind":"pause","by":"ann"}\n')

    assert [order.kind for order in orders.poll()] == [OrderKind.PAUSE]
