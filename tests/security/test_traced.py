"""What strace sees of offline commands; every one of them is a gate of `tests.prove`, a few are looked at here."""

import sys
from pathlib import Path

import pytest

from tests.prove import offline
from tests.prove.oracle import Violation
from tests.security import hostile

pytestmark = pytest.mark.skipif(bool(offline.missing()), reason=offline.missing() or "strace is there")


@pytest.mark.parametrize("command", [["validate", "."], ["completion", "bash"]], ids=" ".join)
def test_an_offline_command_makes_no_connection_starts_nothing_and_writes_nothing(command: list[str]) -> None:
    assert offline.observed(hostile.OFFLINE.index(command))["system calls"] > 50


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 1))", "reached out"),
        ("import socket; socket.socket(socket.AF_UNIX)", "reached out"),
        (
            "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('a.example', 1)",
            "reached out",
        ),
        ("import subprocess; subprocess.run(['true'])", "started a process"),
        ("import os; os.fork() or os._exit(0)", "started a process"),
        ("open('made', 'w')", "wrote"),
        ("import os; os.mkdir('made')", "wrote"),
        ("import os; os.unlink('good.yaml')", "wrote"),
        ("import os; os.rename('good.yaml', 'bad.yaml')", "wrote"),
        ("import os; open(os.path.expanduser('~/.netrc'))", "home folder"),
    ],
)
def test_whatever_does_more_is_noticed(tmp_path: Path, program: str, words: str) -> None:
    tree = hostile.repository(tmp_path)

    calls, _ = offline.traced([sys.executable, "-I", "-c", program], tree)

    assert any(words in wrong for wrong in offline.violations(calls, tree, None))


def test_a_trace_that_saw_nothing_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Violation, match="nothing was traced"):
        offline.traced(["/nowhere/runner"], hostile.repository(tmp_path))
