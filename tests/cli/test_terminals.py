"""At a terminal: a question that waits, keys that interrupt, windows that change size or are closed."""

import io
import signal
import sys
import time

import pytest

from runner.cli.consent import ask
from runner.cli.entry import Stopped
from runner.document.playbook import read_playbook
from tests.cli.terminals import CANARY, GATED, WATCHED, seated, until_in
from tests.fakes.api_server import cluster_of


@pytest.fixture
def gated(tmp_path):
    (tmp_path / "gated.yaml").write_text(GATED, encoding="utf-8")
    return tmp_path


def test_a_gate_in_virtual_time_waits_for_the_answer_that_is_typed(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        seat.type("y\n")

        assert seat.ended() == 0

    assert '"answer":"approved"' in (gated / "run.jsonl").read_text()


def test_ctrl_c_at_a_gate_in_virtual_time_needs_no_enter(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        seat.type("\x03")

        assert seat.ended() == 130
    assert "20 % of orders is on v2 and nobody is watching it: `runner resume run.jsonl`" in seat.said


def test_a_gate_in_virtual_time_is_answered_from_another_terminal_too(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        with seated(gated, "approve", "run.jsonl", "--refuse") as other:
            assert other.ended() == 0

        assert seat.ended() == 3


def test_ctrl_d_at_a_gate_in_virtual_time_is_no_answer(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        seat.type("\x04")

        assert seat.ended() == 3

    assert "no answer: time goes on to the timeout of the gate" in seat.said
    assert '"answer":"timed out"' in (gated / "run.jsonl").read_text()


def test_a_line_that_ctrl_d_sends_off_keeps_nobody_waiting(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        seat.type("maybe\x04")
        seat.until("maybey or n, then Enter: ")
        seat.type("y\x04")

        assert seat.ended() == 0


def test_an_abort_from_another_terminal_ends_the_wait_for_an_answer(gated):
    with seated(gated, "play", "gated.yaml", "--sandbox", "--state", "run.jsonl") as seat:
        seat.until("y or n, then Enter: ")
        with seated(gated, "abort", "run.jsonl") as other:
            assert other.ended() == 3

        assert seat.ended() == 3


def test_a_closed_terminal_ends_a_run_that_can_be_resumed(tmp_path):
    with seated(tmp_path, "play", CANARY, "--sandbox", "--speed", "20", "--state", "run.jsonl") as seat:
        seat.until("soak")
        until_in(tmp_path / "run.jsonl", '"stage":"soak"')
        seat.leave()

        assert seat.process.wait(WATCHED) == 129
    with seated(tmp_path, "resume", "run.jsonl") as seat:
        assert seat.ended() == 0


def test_a_window_of_any_size_shows_the_same_run(tmp_path):
    for rows, columns in ((1, 1), (500, 2000)):
        state = f"{columns}.jsonl"
        words = ("play", CANARY, "--sandbox", "--speed", "2000", "--state", state)
        with seated(tmp_path, *words, size=(rows, columns)) as seat:
            until_in(tmp_path / state, '"stage":"soak"')
            seat.resize(columns % 200 + 1, rows)

            assert seat.ended() == 0
        assert "Traceback" not in seat.said


def test_a_stopped_run_goes_on_when_it_is_brought_to_the_foreground(tmp_path):
    with seated(tmp_path, "play", CANARY, "--sandbox", "--speed", "200", "--state", "run.jsonl") as seat:
        until_in(tmp_path / "run.jsonl", '"stage":"soak"')
        for sent in (signal.SIGTSTP, signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT):
            seat.process.send_signal(sent)
            time.sleep(0.1)

        assert seat.ended() == 0


def test_ctrl_d_at_a_question_is_a_no_that_says_what_it_leaves(gated, tmp_path_factory):
    playbook = read_playbook(str(gated / "gated.yaml")).playbook
    with cluster_of(playbook, tmp_path_factory.mktemp("operator"), time.time()) as (_, kubeconfig):
        reached = {"PLAY_KUBECONFIG": str(kubeconfig), "PLAY_CONTEXT": "test"}
        play = ("play", "gated.yaml", "-y", "--state", "run.jsonl", "--until", "a fifth")
        with seated(gated, *play, environ=reached) as seat:
            assert seat.ended() == 0, seat.said
        with seated(gated, "rollback", "run.jsonl", environ=reached) as seat:
            seat.until("[y/N]: ")
            seat.type("\x04")

            assert seat.ended() == 2
    assert "nothing was touched" in seat.said
    assert "20 % of orders is on v2 and nobody is watching it" in seat.said.splitlines()[-1]


class Impatient(io.StringIO):
    """A signal comes instead of an answer."""

    def __init__(self, came: BaseException) -> None:
        super().__init__()
        self.came = came

    def readline(self, size: int | None = -1, /) -> str:
        raise self.came


@pytest.mark.parametrize("came", [KeyboardInterrupt(), Stopped(signal.SIGTERM)])
def test_a_signal_at_a_question_is_heard_by_whoever_knows_what_it_leaves(monkeypatch, capsys, came):
    monkeypatch.setattr(sys, "stdin", Impatient(came))

    with pytest.raises(type(came)):
        ask("Take it back?", "not rolled back")

    assert capsys.readouterr().err.endswith("\n")
