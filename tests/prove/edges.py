"""The edges of a run that the simulator replaces: its HTTP client, and the documents that it is told in."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.cli.entry import run as called
from runner.engine.events import SplitChanged
from runner.errors import RunnerError
from runner.journal import read
from runner.model.stages import KubeObject
from runner.ports import Cluster
from tests.adapters.api import speaking_to, status
from tests.adapters.loopback import Reply, Seen, hang_up, says
from tests.prove.oracle import Violation
from tests.prove.processes import PLAYBOOK
from tests.prove.simulation import SHELF

SERVICE: KubeObject = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "reviews", "namespace": "bookinfo", "resourceVersion": "1"},
    "spec": {},
}
VERBS: dict[str, Callable[[Cluster], object]] = {
    "create": lambda cluster: cluster.create(SERVICE),
    "replace": lambda cluster: cluster.replace(SERVICE),
    "apply": lambda cluster: cluster.apply(SERVICE),
}
ENDINGS: dict[str, Callable[[Seen], Reply]] = {
    "hangs up": lambda _: hang_up(),
    "half an answer": lambda _: Reply([b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"]),
    "429": lambda _: says(429, {"kind": "Status", "code": 429}, Retry_After="0"),
    "500": lambda _: status(500, "InternalError", "no"),
    "502": lambda _: status(502, "BadGateway", "no"),
    "503": lambda _: says(503, {"kind": "Status", "code": 503}, Retry_After="0"),
    "504": lambda _: status(504, "Timeout", "no"),
    "sent on": lambda seen: says(307, {}, Location=seen.target),
}


def writes() -> Iterator[tuple[str, str]]:
    """(verb, ending) for every write of the port and every end that leaves its outcome open."""
    return ((verb, ending) for verb in VERBS for ending in ENDINGS)


def written(verb: str, ending: str) -> None:
    """One write whose outcome nobody knows; Violation when it is sent a second time."""
    sent: list[str] = []

    def answer(seen: Seen) -> Reply:
        if seen.method != "GET":
            sent.append(seen.method)
            return ENDINGS[ending](seen)
        return says(200, SERVICE)

    with speaking_to(answer) as spoken:
        try:
            VERBS[verb](spoken.cluster)
        except RunnerError:
            pass
        else:
            raise Violation(f"{verb} that {ending!r} ended was taken for done")
    if len(sent) != 1:
        raise Violation(f"{verb} that {ending!r} ended was sent {len(sent)} times")


def weighed(seed: int) -> None:
    """A shift with weights of any sum; Violation when one that is not 100 is accepted, or ever in force."""
    rng = random.Random(seed)
    one, other = rng.choice((0, 20, 50, 80, 100)), rng.choice((0, 20, 50, 80, 100))
    text = PLAYBOOK.read_text(encoding="utf-8").replace(
        "shift: {route: reviews, canary: 20}",
        f"shift: {{route: reviews, weights: {{v1: {one}, v3: {other}}}}}",
    )
    with tempfile.TemporaryDirectory(prefix="weights-", dir=SHELF) as folder:
        playbook, state = Path(folder) / "p.yaml", Path(folder) / "r.jsonl"
        playbook.write_text(text, encoding="utf-8")
        code = _silently(["play", str(playbook), "--sandbox", "--state", str(state), "-o", "jsonl"])
        if (one + other == 100) == (code in (1, 2)):
            raise Violation(f"weights {one} and {other}: exit {code}")
        splits = (
            [event.to for event in read(state).events if isinstance(event, SplitChanged)]
            if state.exists()
            else []
        )
        if any(sum(weight for _, weight in split.weights) != 100 for split in splits):
            raise Violation(f"weights {one} and {other} were in force: {splits}")


def _silently(arguments: list[str]) -> int:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = called(arguments)
    if "a bug of its own" in said.getvalue():
        raise Violation(said.getvalue())
    return code
