"""An embedded world in virtual time: Kubernetes objects, a mesh that splits traffic, Prometheus.

Rule 1: a world is a function of its setup and its effects with their times; only these are kept.
Rule 2: faults are put into the world, never into the answer to a query.
Rule 3: nothing here reads a clock, opens a socket or draws a number that is not named.
"""

from collections.abc import Callable
from pathlib import Path

from runner.model.playbook import Playbook
from runner.model.scenario import Scenario
from runner.sandbox.assumptions import assume, prepare
from runner.sandbox.clock import VirtualClock
from runner.sandbox.setup import Setup, Stream
from runner.sandbox.traffic import Count, Tally
from runner.sandbox.world import World

__all__ = ["Count", "Setup", "Stream", "Tally", "VirtualClock", "World", "assume", "open_world", "prepare"]


def open_world(
    playbook: Playbook,
    scenario: Scenario | None = None,
    *,
    seed: int,
    start: float,
    path: Path | None = None,
    speed: float | None = None,
    sleep: Callable[[float], None] | None = None,
) -> World:
    """A fresh world for *playbook*, at Unix time *start*.

    With *path* its effects are kept there, for `World.open`. With *speed* and *sleep* time really passes,
    that much faster. RunnerError where the file cannot be written.
    """
    setup = prepare(playbook, scenario, seed=seed, start=start)
    return World.begin(setup, VirtualClock(start, speed=speed, sleep=sleep), path)
