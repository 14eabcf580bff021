"""Disks that are full or must not be written, and streams that take nothing: one message, the right code."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from runner.cli.entry import run
from runner.journal import JournalFile

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")


class Full(OSError):
    """What the system says when a disk is full."""

    def __init__(self):
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_full_stdout(folder, *arguments):
    """`runner ARGUMENTS` in *folder*, its standard output on a disk without room."""
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [sys.executable, "-m", "runner", *arguments]
    with Path("/dev/full").open("wb", buffering=0) as full:
        return subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )


def test_a_disk_that_fills_up_with_traffic_on_the_canary_is_said_last(folder, monkeypatch, capsys):
    append = JournalFile.append

    def until_shifted(journal, events):
        if any(event.__class__.__name__ == "MeasurementTaken" for event in events):
            monkeypatch.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(Full()))
        return append(journal, events)

    monkeypatch.setattr(JournalFile, "append", until_shifted)

    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl"]) == 1

    said = capsys.readouterr().err.splitlines()
    assert said[-1] == (
        "20 % of reviews is on v3 and nobody is watching it: `runner resume run.jsonl` or `runner rollback run.jsonl`"
    )
    assert any("run.jsonl cannot be written: No space left on device" in line for line in said)
    assert any("kubectl -n bookinfo patch virtualservice reviews" in line for line in said)


WITHOUT_A_DISK = "`runner rollback --route ROUTE -n NAMESPACE`"


@pytest.mark.parametrize(
    ("event", "code", "on"), [("EffectIntended", 4, "is on"), ("EffectDone", 1, "was put on")]
)
def test_a_disk_that_fills_up_on_the_way_back_names_the_way_that_needs_none(
    folder, monkeypatch, capsys, event, code, on
):
    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl", "--until", "soak"]) == 0
    append = JournalFile.append

    def until_then(journal, events):
        if any(each.__class__.__name__ == event for each in events):
            monkeypatch.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(Full()))
        return append(journal, events)

    monkeypatch.setattr(JournalFile, "append", until_then)

    assert run(["rollback", "run.jsonl"]) == code

    said = capsys.readouterr().err.splitlines()
    assert any("cannot be written: No space left on device" in line for line in said)
    assert any(WITHOUT_A_DISK in line for line in said)
    assert said[-1].startswith(f"20 % of reviews {on} v3 and nobody is watching it")


def test_an_order_that_a_full_disk_does_not_take_says_what_to_do(folder, monkeypatch, capsys):
    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl", "--until", "soak"]) == 0
    write, lock = os.write, JournalFile.claim(Path("run.jsonl"))

    def full(descriptor, data):
        if b'"kind"' in bytes(data):
            raise Full
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    try:
        assert run(["rollback", "run.jsonl"]) == 1
    finally:
        lock.release()

    said = capsys.readouterr().err
    assert "no order can be left in run.jsonl.orders: No space left on device" in said
    assert WITHOUT_A_DISK in said


def test_a_run_that_cannot_be_taken_up_says_where_it_left_the_canary(folder, monkeypatch, capsys):
    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl", "--until", "soak"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(Full()))

    for command in ("resume", "rollback"):
        assert run([command, "run.jsonl"]) == 1

        said = capsys.readouterr().err.splitlines()
        assert "run.jsonl cannot be written: No space left on device" in said[0]
        assert said[-1].startswith(
            "20 % of reviews is on v3 and nobody is watching it: `runner resume run.jsonl`"
        )


def test_a_state_file_that_cannot_be_read_is_no_reason_to_stay(folder, capsys):
    Path("run.jsonl").mkdir()

    assert run(["resume", "run.jsonl"]) == 1

    said = capsys.readouterr().err
    assert "the state file run.jsonl cannot be read: Is a directory" in said
    assert "runner rollback --route ROUTE -n NAMESPACE" in said


def test_a_lock_that_cannot_be_given_back_does_not_change_how_a_run_ended(folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(FileLock, "release", refuse)

    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl"]) == 0


def test_a_full_disk_leaves_no_half_of_a_state_file(folder, monkeypatch, capsys):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(Full()))

    assert run(["play", CANARY, "--sandbox", "--state", "run.jsonl"]) == 1

    assert "run.jsonl cannot be written: No space left on device" in capsys.readouterr().err
    assert not Path("run.jsonl").exists()
    assert not Path("run.jsonl.new").exists()


def test_a_folder_that_cannot_be_made_is_told_in_words(folder, capsys):
    Path(".runner").write_text("a file where a folder should be", encoding="utf-8")

    assert run(["play", CANARY, "--sandbox"]) == 1

    said = capsys.readouterr().err
    assert ".runner/runs" in said
    assert "--state FILE" in said
    assert "bug" not in said


@pytest.mark.parametrize(
    "arguments", [["validate", CANARY, "-o", "json"], ["runs", "-o", "json"], ["schema"]]
)
def test_an_answer_that_cannot_be_written_is_an_error(tmp_path, arguments):
    done = with_full_stdout(tmp_path, *arguments)

    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_lines_that_cannot_be_written_do_not_stop_a_run_but_are_missed(tmp_path):
    done = with_full_stdout(tmp_path, "play", CANARY, "--sandbox", "--state", "run.jsonl", "-o", "jsonl")

    assert done.returncode == 0
    assert "standard output did not take every line: No space left on device" in done.stderr
    last = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["outcome"] == "succeeded"
