"""How long `runner resume` of a long state file takes until it acts."""

import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

from tests.bench.measure import Figure, process

ROUNDS = 5
GOAL = 0.5  # seconds
LONG = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: long, version: 1.0.0, description: "Fourteen hours under a guard that looks every five seconds."}
target: {namespace: bookinfo}
routes: {reviews: {virtualService: reviews, stable: v1, canary: v3}}
checks:
  errors:
    ratio:
      bad: sum(increase(istio_requests_total{destination_app="reviews",destination_canonical_revision="v3",response_code=~"5.."}[1m]))
      of: sum(increase(istio_requests_total{destination_app="reviews",destination_canonical_revision="v3"}[1m]))
    max: 0.05
guards: [{check: errors, every: 5s}]
stages:
  - {name: a fifth, shift: {route: reviews, canary: 20}}
  - {name: soak, wait: 14h}
  - {name: everything, shift: {route: reviews, canary: 100}}
  - {name: look, verify: {checks: [errors], every: 1m, count: 2}}
  - {name: promote, promote: {route: reviews}}
"""


def figures(runner: Path, folder: Path) -> list[Figure]:
    """From the start of the process to its first durable line, wall clock, the file in the page cache."""
    (folder / "long.yaml").write_text(LONG)
    begun = folder / "begun.jsonl"
    process([runner, "play", "long.yaml", "--sandbox", "--state", begun, "--until", "soak"], folder)
    events = len(begun.read_bytes().splitlines())
    taken = median(seconds_to_act(runner, begun, folder / "resumed.jsonl") for _ in range(ROUNDS))
    what = f"`runner resume` of a state file of {events:,} events, until its first durable line"
    return [Figure(what, f"{taken:.2f} s (wall)", f"under {GOAL:g} s", taken < GOAL)]


def seconds_to_act(runner: Path, begun: Path, state: Path) -> float:
    """Of one process, on a copy of *begun*; it is killed as soon as it has acted."""
    for suffix in ("", ".world"):
        shutil.copy(f"{begun}{suffix}", f"{state}{suffix}")
    size, began = state.stat().st_size, time.perf_counter()
    null = subprocess.DEVNULL
    playing = subprocess.Popen([runner, "resume", state], stdin=null, stdout=null, stderr=null)
    while state.stat().st_size == size and playing.poll() is None:
        time.sleep(0.001)
    taken = time.perf_counter() - began
    playing.kill()
    playing.wait()
    assert state.stat().st_size > size, "it ended without a line"
    return taken
