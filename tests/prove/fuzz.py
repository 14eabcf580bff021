"""Documents made of rubbish: whatever is written, `runner` answers in words, soon, and within its memory."""

import contextlib
import json
import random
import re
import resource
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from runner.cli.entry import run
from runner.errors import ExitCode
from runner.journal.codec import FIRST, checksum
from tests.fakes.environment import set_to
from tests.prove import grammar
from tests.prove.oracle import Violation
from tests.prove.rubbish import altered, changed
from tests.prove.simulation import SHELF

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAYBOOKS = (
    ROOT / "playbooks" / "bookinfo-canary.yaml",
    HERE / "small.yaml",
    ROOT / "tests" / "document" / "every-field.yaml",
)
SCENARIOS = tuple(sorted((ROOT / "playbooks" / "scenarios").glob("*.yaml")))
STATES = tuple(sorted((ROOT / "tests" / "states" / "kept").glob("*/*.jsonl")))
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
SECONDS, MIB = 2, 300
STUCK = 30.0  # seconds of the wall clock, however busy the machine
BUG = re.compile("a bug of its own|Traceback")
Codes = frozenset[int]
OFFLINE: Codes = frozenset({0, 1, 2, 7})
"""What commands end with that play nothing: found nothing, errors, wrong usage, a plan that may not start."""
ANY: Codes = frozenset(int(code) for code in ExitCode)


def playbook(seed: int) -> dict[str, int]:
    """A playbook through `validate`, and one that loads through `plan` and `rehearse`; how many loaded."""
    rng = random.Random(seed)
    with in_folder() as folder:
        file = folder / "playbook.yaml"
        file.write_bytes(_written(rng, PLAYBOOKS, grammar.playbook))
        (folder / "a.yaml").write_text(CONFIGMAP)
        if called(["validate", str(file)], OFFLINE) != 0:
            return {"loaded": 0}
        called(["plan", str(file), "--sandbox"], OFFLINE)
        form = rng.choice(("text", "markdown", "json"))
        called(["rehearse", str(file), "-o", form, "--root", str(folder)], OFFLINE)
    return {"loaded": 1}


def scenario(seed: int) -> dict[str, int]:
    """A scenario through `validate`; one that loads is played in."""
    rng = random.Random(seed)
    with in_folder() as folder:
        file = folder / "scenario.yaml"
        file.write_bytes(_written(rng, SCENARIOS, grammar.scenario))
        if called(["validate", str(file)], OFFLINE) != 0:
            return {"loaded": 0}
        state = str(folder / "run.jsonl")
        called(
            ["play", str(HERE / "small.yaml"), "--sandbox", "--scenario", str(file), "--state", state], ANY
        )
    return {"loaded": 1}


def config(seed: int) -> dict[str, int]:
    """A Config through `validate`, and where an operator's own lies."""
    rng = random.Random(seed)
    with in_folder() as folder:
        file = folder / "runner" / "config.yaml"
        file.parent.mkdir()
        file.write_bytes(_written(rng, (), grammar.config))
        code = called(["validate", str(file)], OFFLINE)
        with set_to(XDG_CONFIG_HOME=str(folder), KUBECONFIG=str(folder / "none")):
            called(["plan", str(HERE / "small.yaml"), "--prometheus", "prod"], OFFLINE)
    return {"loaded": int(code == 0)}


def state(seed: int) -> dict[str, int]:
    """A state file of a kept run, its bytes changed, or its values and all sums after them."""
    rng = random.Random(seed)
    with in_folder() as folder:
        file = folder / "run.jsonl"
        text = rng.choice(STATES).read_bytes()
        file.write_bytes(
            changed(rng, text, rng.choice((1, 2, 5))) if rng.random() < 0.3 else _resummed(rng, text)
        )
        code = called(["status", str(file)], ANY)
        called(["status", str(file), "-o", "json"], ANY)
        called(["audit", str(file)], ANY)
        called([rng.choice(("resume", "rollback")), str(file), "-y", "-o", "jsonl"], ANY)
    return {"readable": int(code == 0)}


def word(seed: int) -> None:
    """A word that somebody gives to `explain`."""
    rng = random.Random(seed)
    names = ("stages", "verify", "every", "scenario", "when", "config", "prometheus", "RUN402", "x-a", "[0]")
    dotted = ".".join(rng.choice(names) for _ in range(rng.randint(1, 5))).encode()
    text = changed(rng, dotted, rng.choice((0, 1, 3))).decode(errors="surrogateescape").replace("\0", "")
    called(["explain", "--", text], OFFLINE)


def _written(rng: random.Random, files: Sequence[Path], draw: Callable[[random.Random], Any]) -> bytes:
    """A document drawn by the grammar, or one of *files*; with a wrong value, or with other bytes, or neither."""
    drawn = not files or rng.random() < 0.75
    text = rng.choice(files).read_bytes() if not drawn else b""
    if drawn:
        tree = draw(rng)
        for _ in range(rng.choice((0, 0, 1, 2))):
            tree = altered(rng, tree)
        text = yaml.safe_dump(
            tree, allow_unicode=True, sort_keys=False, default_flow_style=rng.random() < 0.3
        ).encode()
    times = rng.choice((0, 0, 0, 1, 5)) if drawn else rng.choice((1, 1, 2, 5, 20))
    return changed(rng, text, times)


def _resummed(rng: random.Random, text: bytes) -> bytes:
    """One line says something else, and every sum agrees: a file that only its content betrays."""
    bodies = [json.loads(line) for line in text.splitlines()]
    at = rng.randrange(len(bodies))
    for _ in range(rng.choice((1, 1, 3))):
        told = altered(rng, bodies[at])
        bodies[at] = told if isinstance(told, dict) else bodies[at]
    lines, prev = [], FIRST
    for body in bodies:
        body.pop("sum", None)
        if "prev" in body:
            body["prev"] = prev
        line = json.dumps(body, separators=(",", ":"))
        prev = checksum(line)
        lines.append(f'{line[:-1]},"sum":"{prev}"}}\n')
    return "".join(lines).encode()


@contextlib.contextmanager
def in_folder() -> Iterator[Path]:
    """A folder of memory, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=SHELF) as name:
        yield Path(name)


def called(arguments: list[str], codes: Codes) -> int:
    """The exit code of a command. Violation where it is none of *codes*, or late, or large, or not in words."""
    what, peak = " ".join(arguments[:2]), _peak()
    with tempfile.TemporaryFile("w+", dir=SHELF, encoding="utf-8", errors="replace") as file:
        with _alarmed(what), contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            code = run(arguments)
        file.seek(0)
        said = file.read()
    if BUG.search(said):
        raise Violation(f"{what}: {said[-300:]}")
    if code not in codes:
        raise Violation(f"{what}: exit {code}: {said[-300:]}")
    if code and not said.strip():
        raise Violation(f"{what}: exit {code} without a word")
    if MIB < _peak() > peak:  # a process that was larger before is not this document's doing
        raise Violation(f"{what}: {_peak():.0f} MiB")
    return code


class Late(BaseException):
    """Time is up; nothing that catches errors catches this."""


@contextlib.contextmanager
def _alarmed(what: str) -> Iterator[None]:
    """Seconds of the processor, so that a busy machine changes nothing; a process that waits is stuck."""

    def late(*_: object) -> None:
        raise Late

    kept = {number: signal.signal(number, late) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, STUCK)
    try:
        yield
    except Late:
        raise Violation(f"{what}: longer than {SECONDS} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in kept.items():
            signal.signal(number, handler)


def _peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
