"""Signals, sent to real processes: the code of the table, the way on and back in words, never a traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CANARY = str(ROOT / "playbooks" / "bookinfo-canary.yaml")
WATCHED = 30  # seconds that a process may take for anything below


@pytest.fixture(autouse=True)
def _hearing():
    """A process ignores what its parent ignores, and whoever tests may have been started by nohup."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def start(folder, *options, file=CANARY):
    """`runner play` of *file* in *folder*."""
    return subprocess.Popen(
        [sys.executable, "-m", "runner", "play", file, "--sandbox", "--state", "run.jsonl", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
        },
        text=True,
    )


def until_said(process, text):
    """Read the lines of *process* until one has *text*."""
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize(("name", "code"), [("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_a_run_with_its_code_and_says_where_the_traffic_is(tmp_path, name, code):
    process = start(tmp_path, "--speed", "60")
    until_said(process, "soak")

    process.send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=WATCHED)

    assert process.returncode == code
    assert out.splitlines()[-1].startswith(
        "20 % of reviews is on v3 and nobody is watching it: `runner resume run.jsonl`"
    )
    assert "  certain   reviews was at v1 80 / v3 20 when it was read back at" in out
    assert "  unknown   what others have changed since" in out
    assert f"{name}: stopping at a safe point" in err
    assert "Traceback" not in out + err


def test_the_second_signal_leaves_at_once_and_says_where_the_traffic_is(tmp_path):
    process = start(tmp_path, "--speed", "60")
    until_said(process, "soak")
    process.send_signal(signal.SIGSTOP)  # so that both wait for it together, as when one API call hangs
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=WATCHED)

    assert process.returncode in (130, 143)
    assert "Left. What was done is in the state file." in err
    assert "  certain   reviews was at v1 80 / v3 20 when it was read back at" in err
    assert err.splitlines()[-1].startswith(
        "20 % of reviews is on v3 and nobody is watching it: `runner resume run.jsonl`"
    )
    assert "Traceback" not in out + err


def test_a_run_that_is_to_go_back_when_interrupted_is_back_within_seven_seconds(tmp_path):
    small = (ROOT / "tests" / "prove" / "small.yaml").read_text()
    (tmp_path / "small.yaml").write_text(f"{small}onInterrupt: rollback\n")
    process = start(tmp_path, "--speed", "1", file="small.yaml")
    until_said(process, "soak")

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=7)

    assert process.returncode == 3
    assert "Users are back: reviews is at v1 100, read back" in out
    assert "Traceback" not in out + err


def test_the_lines_that_an_interrupted_run_prints_can_be_typed(tmp_path):
    process = start(tmp_path, "--speed", "60")
    until_said(process, "soak")
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=WATCHED)
    (line,) = re.findall(r"`(runner rollback [^`]*)`", out.splitlines()[-1])
    typed = line.replace("runner", f"{sys.executable} -m runner", 1)

    done = subprocess.run(
        typed,
        shell=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert "Users are back: reviews is at v1 100, read back" in done.stdout


def test_a_run_that_nohup_started_goes_on_when_its_terminal_is_closed(tmp_path):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    process = start(tmp_path, "--speed", "300")
    until_said(process, "soak")

    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=WATCHED)

    assert process.returncode == 0
    assert "Promoted: reviews is at v3 100" in out


IMPATIENT = """
import os, signal, sys
import runner.__main__

class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Impatient())
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & ignores it
sys.argv = ["runner", *{arguments}]
runner.__main__.main()
"""


def impatient(folder, name, module, *arguments):
    """`runner ARGUMENTS` in *folder*, which gets the signal *name* when it imports *module*."""
    return subprocess.run(
        [sys.executable, "-c", IMPATIENT.format(name=name, module=module, arguments=list(arguments))],
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=WATCHED,
    )


@pytest.mark.parametrize(("name", "code"), [("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_while_starting_ends_with_its_code_and_no_traceback(tmp_path, name, code):
    done = impatient(tmp_path, name, "runner.cli.root", "runs")

    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_before_a_run_is_taken_up_says_where_the_traffic_is(tmp_path, name, code):
    process = start(tmp_path, "--until", "soak")
    process.communicate(timeout=WATCHED)

    done = impatient(tmp_path, name, "runner.sandbox", "resume", "run.jsonl")

    assert done.returncode == code
    assert done.stderr.splitlines()[-1].startswith(
        "20 % of reviews is on v3 and nobody is watching it: `runner resume run.jsonl`"
    )
    assert "Traceback" not in done.stderr
