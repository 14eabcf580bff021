"""Output is best effort: whoever reads may go away, and the run goes on."""

import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from runner.reports.fold import opening
from runner.reports.narrator import Narrator
from runner.reports.output import Output
from runner.reports.terminal import Terminal, Tone
from tests.reports.bookinfo import playbook
from tests.reports.telling import RUN, tell

ROOT = Path(__file__).parents[2]
STORYTELLER = """
import sys
from tests.reports.telling import *
output = Output(sys.stdout, Terminal())
narrator = Narrator(opening(RUN, playbook()), output)
tell(narrator, "promoted")
output.close()
sys.exit(7 if narrator.view.outcome == "succeeded" and output.dropped else 1)
"""


def told(stream):
    output = Output(stream, Terminal())
    narrator = Narrator(opening(RUN, playbook()), output)
    tell(narrator, "promoted")
    output.close()
    return narrator, output


def test_closed_stream_never_stops_a_run():
    stream = StringIO()
    stream.close()

    narrator, output = told(stream)

    assert narrator.view.outcome == "succeeded"
    assert output.dropped > 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_never_stops_a_run():
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        narrator, output = told(stream)

    assert narrator.view.outcome == "succeeded"
    assert output.dropped > 50


def test_reader_that_goes_away_changes_neither_the_run_nor_its_exit_code():
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-c", STORYTELLER],
        check=False,
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (7, b"")


def test_characters_that_a_stream_does_not_have_are_spelled_out():
    raw = BytesIO()
    output = Output(TextIOWrapper(raw, encoding="ascii"), Terminal())

    output.line("Grüße 80→20")

    assert raw.getvalue() == rb"Gr\xfc\xdfe 80\u219220" + b"\n"


def test_terminal_gets_long_entries_broken_between_words():
    stream = StringIO()
    output = Output(stream, Terminal(live=True, width=24))

    output.entry("12:00:00  one two three four five", Tone.PLAIN, 10)

    assert stream.getvalue() == "12:00:00  one two three\n          four five\n"


def test_log_gets_long_entries_whole():
    stream = StringIO()

    Output(stream, Terminal(width=24)).entry("12:00:00  one two three four five", Tone.PLAIN, 10)

    assert stream.getvalue() == "12:00:00  one two three four five\n"
