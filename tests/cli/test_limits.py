"""Limits that a system sets to a process: what runs out is said, and what was begun can be gone on with."""

import resource
import subprocess
import sys

import pytest

from runner.cli import entry
from tests.cli.terminals import ROOT, environment

SMALL = str(ROOT / "tests" / "prove" / "small.yaml")


def limited(folder, *words, **limits):
    """`runner WORDS` in *folder* under *limits*, named as in `resource`."""

    def lower():
        for name, most in limits.items():
            number = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(number, (most, resource.getrlimit(number)[1]))

    return subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lower,
    )


@pytest.mark.parametrize("most", [3_000, 9_001])
def test_a_state_file_that_may_not_grow_stops_a_run_that_can_be_resumed(tmp_path, most):
    play = ("play", SMALL, "--sandbox", "--state", "run.jsonl")

    stopped = limited(tmp_path, *play, FSIZE=most)

    assert stopped.returncode == 1
    said = stopped.stdout + stopped.stderr
    assert "File too large" in said
    assert "Traceback" not in said
    if most > 5_000:
        assert "of reviews is on v3 and nobody is watching it" in stopped.stderr.splitlines()[-1]
    again = ("resume", "run.jsonl") if (tmp_path / "run.jsonl").exists() else play
    assert limited(tmp_path, *again).returncode == 0


@pytest.mark.parametrize("most", [5])
def test_a_process_that_may_open_no_more_files_says_so(tmp_path, most):
    done = limited(tmp_path, "play", SMALL, "--sandbox", "--state", "run.jsonl", NOFILE=most)

    assert done.returncode == 1
    assert "Too many open files" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "words"), [(MemoryError(), "memory"), (RecursionError(), "room on the stack")]
)
def test_what_runs_out_is_no_bug(monkeypatch, capsys, error, words):
    def exhausted(_):
        raise error

    monkeypatch.setattr(entry, "_call", exhausted)

    assert entry.run(["runs"]) == 1
    assert f"error: there is not enough {words} to go on" in capsys.readouterr().err


def test_lines_that_a_log_did_not_take_are_counted(tmp_path):
    done = limited(tmp_path, "play", SMALL, "--sandbox", "--state", "run.jsonl", "--log-file", "/dev/full")

    assert done.returncode == 0
    assert "warning: the log file did not take" in done.stderr
