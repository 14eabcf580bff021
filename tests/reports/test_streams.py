"""What forgets to escape is escaped at the last moment; our own screens are left as they are."""

import io
import os
import pty
import sys

import click
import pytest

from runner.reports.streams import Guarded, guarding
from runner.secrecy import DOTS, Secret

HOSTILE = "\x1b]52;c;aGk=\x07\x9b2J\x08\x00\u202e\u2028\ud800\r!"
SPELLED = r"\x1b]52;c;aGk=\x07\x9b2J\x08\x00\u202e\u2028\ud800\x0d!"


@pytest.fixture
def terminal():
    """What a real terminal was sent."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8", newline="") as stream:

        def sent(text):
            guarded = Guarded(stream)
            guarded.write(text)
            guarded.flush()
            return os.read(master, 65536).decode().replace("\r\n", "\n")

        yield sent
    os.close(master)


def test_elsewhere_than_on_a_terminal_no_control_character_gets_out():
    stream = io.StringIO()

    Guarded(stream).write(f"a\tb\n{HOSTILE}\x1b[31m")

    assert stream.getvalue() == f"a\tb\n{SPELLED}\\x1b[31m"


def test_a_terminal_gets_our_own_sequences_and_no_others(terminal):
    ours = "\x1b[1;31mx\x1b[0m\x1b[?25l\r\x1b[2K\x1b[1A\x1b[2K"

    assert terminal(f"{ours}{HOSTILE}\n") == f"{ours}{SPELLED}\n"


def test_secrets_and_what_cannot_be_encoded_are_spelled():
    raw = io.BytesIO()
    stream = Guarded(io.TextIOWrapper(raw, encoding="ascii", errors="strict", newline="\n"))
    Secret("canary-Zq9")

    stream.write("ü canary-Zq9")
    stream.flush()

    assert raw.getvalue() == rb"\xfc \u2022\u2022\u2022"


def test_nothing_gets_around_it(capsys):
    Secret("canary-Zq9")

    with guarding():
        click.echo("canary-Zq9")
        click.echo(b"canary-Zq9", err=True)
        print("canary-Zq9", file=sys.stderr)
        sys.stdout.writelines(["canary-Zq9"])
        sys.stdout.buffer.write(b"canary-Zq9")

    out, err = capsys.readouterr()
    assert (out, err) == (f"{DOTS}\n{DOTS}{DOTS}", f"{DOTS}\n{DOTS}\n")
