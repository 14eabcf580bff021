"""Playbooks made of rubbish: whatever is written, `validate` answers in words, soon, and within its memory."""

import random
import resource
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from runner.document import validate
from runner.errors import RunnerError
from tests.prove.oracle import Violation

ROOT = Path(__file__).parents[2]
SEEDS = tuple(
    path.read_bytes()
    for path in (ROOT / "playbooks" / "bookinfo-canary.yaml", Path(__file__).parent / "small.yaml")
)
TOKENS = (
    b"{{ canary }}",
    b"{{",
    b"}}",
    b"{%",
    b": ",
    b"- ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!python/x",
    b"80:20",
    b"1e400",
    b".nan",
    b"null",
    b"~",
    b"yes",
    b"0644",
    b"'",
    b'"',
    b"#",
    b"|",
    b">",
    b"\t",
    b"\x00",
    b"\xff",
    b"apiVersion: runner/v2",
    b"kind: Secret",
    b"../../etc/passwd",
    b"5m",
    b"-5m",
    b"99999999999999999999",
    b"\xf0\x9f\x92\xa9",
    b"stages:",
    b"shift: {route: x}",
    b"- name: a\n",
    b"sum(rate(x[1m]))",
    b"{{ 'a' * 999999999 }}",
    b"{{ range(9**9) }}",
)
SECONDS, MIB = 2, 300


def fuzzed(seed: int) -> None:
    """Violation when a playbook of *seed* ends in anything but diagnostics, or takes too long, or too much."""
    rng = random.Random(seed)
    text = rng.choice(SEEDS)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        text = rng.choice(MUTATIONS)(rng, text)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = Path(folder) / "playbook.yaml"
        file.write_bytes(text)
        _bounded(seed, lambda: validate(file))


def _bounded(seed: int, call: Callable[[], object]) -> None:
    def late(*_: object) -> None:
        raise Violation(f"seed {seed}: longer than {SECONDS} s")

    peak = _peak()
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        call()
    except RunnerError:
        pass  # told in words
    except Violation:
        raise
    except Exception as error:  # that is what is looked for
        raise Violation(f"seed {seed}: {type(error).__name__}: {error}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if MIB < _peak() > peak:  # a process that was larger before is not this playbook's doing
        raise Violation(f"seed {seed}: {_peak():.0f} MiB")


def _peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _flip(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]


def _drop(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + text[at + rng.randrange(1, 80) :]


def _put(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + rng.choice(TOKENS) + text[at:]


def _repeat(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    piece = text[at : at + rng.randrange(1, 200)]
    return text[:at] + piece * rng.randrange(2, 6) + text[at:]


def _swap_lines(rng: random.Random, text: bytes) -> bytes:
    lines = text.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


MUTATIONS = (_flip, _drop, _put, _put, _repeat, _swap_lines)
