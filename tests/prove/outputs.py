"""Streams that take nothing, terminals that show nothing, encodings that know nothing: the run is the same.

Whatever becomes of what it says, a freshly started process writes the same to the world, and ends with the same code.
"""

import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.prove.oracle import Violation
from tests.prove.processes import ROOT, arguments, ended_as_promised, whole_lines
from tests.prove.simulation import SHELF

LONGEST = 60.0
FORMS = ("text", "jsonl")
EVENTS = 47  # of an undisturbed play
Streams = dict[str, Any]


def cases() -> Iterator[tuple[str, str]]:
    """Every condition in both forms."""
    return ((name, form) for name in (*STREAMS, *ENVIRONMENTS) for form in FORMS)


def undisturbed(name: str, form: str) -> dict[str, int]:
    """Play under condition *name*; Violation unless the run was as ever, without a traceback."""
    with tempfile.TemporaryDirectory(prefix="out-", dir=SHELF) as folder:
        state = Path(folder) / "run.jsonl"
        words = [*arguments(state)[:-1], form]
        if name == "log on a full disk":
            words += ["--log-file", "/dev/full"]
        code, said = STREAMS.get(name, _read)(words, ENVIRONMENTS.get(name, {}))
        if code != 0:
            raise Violation(f"{name}: ended with {code}: {said[-600:]}")
        if "Traceback" in said or "a bug of its own" in said:
            raise Violation(f"{name}: no words: {said[-600:]}")
        if name == "log on a full disk" and "the log file did not take" not in said:
            raise Violation(f"nothing said of lost lines: {said[-600:]}")
        if len(whole_lines(state)) != EVENTS:
            raise Violation(f"{name}: {len(whole_lines(state))} events instead of {EVENTS}")
        ended_as_promised(state)
    return {"runs": 1}


def _start(words: list[str], environ: Mapping[str, str], **streams: Any) -> "subprocess.Popen[bytes]":
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.Popen(
        [sys.executable, "-m", "runner", *words],
        cwd=ROOT,
        env={**known, **environ},
        start_new_session=True,
        **{"stdin": subprocess.DEVNULL, **streams},
    )


def _read(words: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
    playing = _start(words, environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = playing.communicate(timeout=LONGEST)
    return playing.returncode, said.decode("utf-8", "replace")


def _shut(*numbers: int) -> Callable[..., tuple[int, str]]:
    """Streams that the caller closed before the start; the others are read."""

    def play(words: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
        both: Streams = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT if 1 not in numbers else subprocess.PIPE,
        }
        shell = " ".join(f"{number}>&-" for number in numbers)
        playing = subprocess.Popen(
            ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-m", "runner", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            **both,
        )
        said = b"".join(part or b"" for part in playing.communicate(timeout=LONGEST))
        return playing.returncode, said.decode("utf-8", "replace")

    return play


def _full(*names: str) -> Callable[..., tuple[int, str]]:
    """Streams on a disk without room."""

    def play(words: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
        with Path("/dev/full").open("wb", buffering=0) as full:
            streams = {name: full if name in names else subprocess.PIPE for name in ("stdout", "stderr")}
            playing = _start(words, environ, **streams)
            said = b"".join(part or b"" for part in playing.communicate(timeout=LONGEST))
        return playing.returncode, said.decode("utf-8", "replace")

    return play


def _hung_up(words: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """A reader who goes after the first byte."""
    playing = _start(words, environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert playing.stdout is not None
    assert playing.stderr is not None
    playing.stdout.read(1)
    playing.stdout.close()
    playing.stderr.close()
    return playing.wait(LONGEST), ""


def _unplugged(words: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """A terminal that is taken away from a process that it does not control."""
    master, slave = pty.openpty()
    playing = _start(words, {"TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    with suppress(OSError):
        os.read(master, 1)
    os.close(master)
    return playing.wait(LONGEST), ""


STREAMS: Mapping[str, Callable[..., tuple[int, str]]] = {
    "stdout closed": _shut(1),
    "stderr closed": _shut(2),
    "all closed": _shut(0, 1, 2),
    "stdout full": _full("stdout"),
    "stderr full": _full("stderr"),
    "both full": _full("stdout", "stderr"),
    "the reader hangs up": _hung_up,
    "the terminal is taken away": _unplugged,
}
ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "log on a full disk": {},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "dumb terminal": {"TERM": "dumb"},
    **{
        f"{locale}, UTF-8 mode {mode}": {"LC_ALL": locale, "PYTHONUTF8": mode}
        for locale in ("C", "POSIX", "tr_TR.UTF-8", "ja_JP.eucJP")
        for mode in ("0", "1")
    },
}
