"""Every gate of the proof: what is played, how often, and what a person reads of it. A new gate is one more entry."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from tests.escaping import oracle as hostile
from tests.escaping.sinks import HOSTILE
from tests.prove import (
    canaries,
    contenders,
    edges,
    forgery,
    fuzz,
    gates,
    in_cluster,
    kills,
    lines,
    machine,
    offline,
    outputs,
    records,
    sabotage,
    signals,
    soaks,
    starts,
    syscalls,
    verdicts,
)
from tests.prove.oracle import Violation
from tests.prove.simulation import History

EVERY = 1_000_000  # more than there are
FIXED = 5  # one seed in so many is the same in every run, the others are new
KEPT = Path(__file__).parent / "kept.json"
Item = tuple[Any, ...]
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Draw:
    """How many items are wanted, and the first of the seeds that no run before has played."""

    count: int
    fresh: int


@dataclass(frozen=True)
class Gate:
    """*full* items are a whole proof, *night* a night's; *play* raises where a promise breaks.

    *least* is what a whole proof must have counted; *missing* says why the gate cannot be played here. Where there is
    one figure for each item, *listed* says what it is, and they are listed apart.
    """

    name: str
    says: str
    play: Callable[..., Figures | None]
    items: Callable[[Draw], Iterable[Item]]
    full: int
    night: int
    least: Figures = field(default_factory=dict)
    missing: Callable[[], str] = str
    listed: str = ""

    def too_few(self, counted: Figures) -> list[str]:
        """What a whole proof has counted less of than it must."""
        return [
            f"{counted.get(name, 0):,.0f} {name}, at least {count:,} are wanted"
            for name, count in self.least.items()
            if counted.get(name, 0) < count
        ]

    def drawn(self, draw: Draw) -> list[Item]:
        """What a run plays: all that ever failed here, then what was drawn."""
        return [*kept(self.name), *self.items(draw)]


def kept(gate: str) -> list[Item]:
    """The items that have found something once; they are played for ever."""
    found = json.loads(KEPT.read_text(encoding="utf-8"))
    return [tuple(entry["item"]) for entry in found if entry["gate"] == gate]


def seeds(draw: Draw) -> Iterator[Item]:
    """Some seeds that every run plays, then fresh ones."""
    fixed = -(-draw.count // FIXED)
    return ((seed,) for seed in chain(range(fixed), range(draw.fresh, draw.fresh + draw.count - fixed)))


def some(every: Callable[[], Iterable[Item]]) -> Callable[[Draw], list[Item]]:
    """All of *every*, or a part that differs from run to run."""

    def drawn(draw: Draw) -> list[Item]:
        found = list(every())
        random.Random(draw.fresh).shuffle(found)
        return found[: draw.count]

    return drawn


def _crashes(draw: Draw) -> list[Item]:
    points = list(gates.crash_points())
    tears = -(-draw.count // len(points))
    return some(lambda: ((*point, tear) for point in points for tear in range(tears)))(draw)


def _sabotaged(name: str) -> Figures:
    """The integer that shows what is missing."""
    seed = sabotage.caught(name, range(sabotage.TRIES))
    if seed is None:
        raise Violation(f"sabotage {name!r} was not noticed")
    return {name: seed}


def _history(play: Callable[..., History]) -> Callable[..., Figures]:
    def figures(*item: Any) -> Figures:
        came = play(*item)
        return {"crashes": came.crashes, "effects": came.effects, "simulated days": came.days}

    return figures


def _silent(play: Callable[..., object]) -> Callable[..., None]:
    def nothing(*item: Any) -> None:
        play(*item)

    return nothing


GATES = (
    Gate(
        "histories",
        "random histories: crashes, power loss, lost answers, API and Prometheus faults, edits, aborts, gaps",
        _history(gates.random_history),
        seeds,
        30_000,
        1_000_000,
    ),
    Gate(
        "state in the cluster",
        "random histories whose journal lies in ConfigMaps of the same API server",
        _history(in_cluster.history),
        seeds,
        2_000,
        60_000,
    ),
    Gate(
        "crash points",
        "a crash at every moment of eight releases, with torn appends",
        _history(gates.crash_at),
        _crashes,
        10_300,
        50_000,
    ),
    Gate(
        "api faults",
        "every API call of every story x 18 faults x {once, third, always}",
        _silent(gates.api_fault),
        some(gates.api_matrix),
        EVERY,
        EVERY,
    ),
    Gate(
        "disturbances",
        "abort, rollback, pause, an edit, another host and expired credentials before every turn",
        _silent(gates.disturbed),
        some(gates.disturbances),
        EVERY,
        EVERY,
    ),
    Gate(
        "verdicts",
        "every answer of a table x the parts of two checks x {once, third, always}, judged as the table says",
        _silent(verdicts.answered),
        some(verdicts.cases),
        EVERY,
        EVERY,
    ),
    Gate(
        "writes",
        "every write x every end of a call that leaves its outcome open: sent once",
        _silent(edges.written),
        some(edges.writes),
        EVERY,
        EVERY,
    ),
    Gate("weights", "shifts with weights of any sum", _silent(edges.weighed), seeds, 100, 1_000),
    Gate(
        "long waits",
        "a soak of a day: tokens of 15 minutes, Prometheus and API come and go, two sleeps, summer time, clocks put right",
        soaks.soaked,
        seeds,
        20,
        1_000,
    ),
    Gate(
        "rules",
        "rules in any order: play, kill, cut the power, resume, order, edit, jump, a second process, a takeover",
        machine.played,
        seeds,
        40,
        1_000,
        least={"examples": 1_000},
    ),
    Gate(
        "rivals",
        "two processes at one route, one stalled in the middle of a write",
        _silent(gates.rivals),
        seeds,
        5_000,
        50_000,
    ),
    Gate(
        "contenders",
        "two or three processes of one or two runs, with real leases, clocks that are hours apart, and sleep in the middle of writes",
        _silent(contenders.contended),
        seeds,
        1_000,
        10_000,
    ),
    Gate(
        "bit flips",
        "every bit of the state file of a release that fails, changed",
        _silent(records.flipped),
        some(records.flips),
        EVERY,
        EVERY,
    ),
    Gate(
        "changed lines",
        "a line of a state file dropped, repeated or swapped",
        _silent(records.reordered),
        some(records.lines),
        EVERY,
        EVERY,
    ),
    Gate(
        "truncations",
        "the state files of five stories, cut at every byte of a line, then resumed",
        lambda *item: {"cuts": records.truncated(*item)},
        some(records.truncations),
        EVERY,
        EVERY,
    ),
    Gate(
        "fuzzed playbooks",
        "playbooks drawn from a grammar or mutated, validated; those that load planned and rehearsed",
        fuzz.playbook,
        seeds,
        10_000,
        100_000,
    ),
    Gate(
        "fuzzed scenarios",
        "scenarios drawn or mutated, validated; those that load played",
        fuzz.scenario,
        seeds,
        2_000,
        20_000,
    ),
    Gate("fuzzed configs", "Configs drawn or mutated, validated and read", fuzz.config, seeds, 1_000, 10_000),
    Gate(
        "fuzzed states",
        "state files with other bytes, or with other values and fitting sums, in status, audit, resume and rollback",
        fuzz.state,
        seeds,
        5_000,
        50_000,
    ),
    Gate(
        "forged states",
        "state files that tell what cannot be, with fitting sums, and worlds that were meddled with, in every command that reads them",
        forgery.state,
        seeds,
        500,
        20_000,
    ),
    Gate("fuzzed words", "words given to `explain`", _silent(fuzz.word), seeds, 1_000, 10_000),
    Gate(
        "kills",
        "real SIGKILLs of forked processes at any call, then resume",
        lambda seed: {"kills": kills.killed(seed)},
        seeds,
        1_300,
        10_000,
        least={"kills": 2_000},
    ),
    Gate(
        "line kills",
        "SIGKILL at every executed line of the journal and the conductor, in a play, a resume and a rollback",
        lines.killed,
        some(lines.parts),
        26,
        EVERY,
        least={"kills": 3_000},
    ),
    Gate(
        "fresh kills",
        "real SIGKILLs of freshly started processes, at any line of the state file, on a disk",
        lambda seed: {"kills": kills.killed(seed, fresh=True)},
        seeds,
        130,
        1_000,
        least={"kills": 200},
    ),
    Gate(
        "system calls",
        "one system call of a freshly started process on its state file fails, or kills it",
        syscalls.faulted,
        some(syscalls.cases),
        200,
        EVERY,
        least={"faults met": 150},
        missing=syscalls.missing,
    ),
    Gate(
        "starts",
        "four processes started in one moment on one state file, to play it and to go on with it: one wins",
        starts.at_once,
        some(starts.rounds),
        EVERY,
        EVERY,
        least={"starts": 200},
    ),
    Gate(
        "outputs",
        "closed, broken and full streams, a full disk under the log, terminals and locales that know little",
        outputs.undisturbed,
        some(outputs.cases),
        EVERY,
        EVERY,
    ),
    Gate(
        "signals",
        "one or two signals at any line of a run; what it prints then is typed, and works",
        signals.signalled,
        some(signals.cases),
        120,
        EVERY,
    ),
    Gate(
        "offline",
        "commands without a cluster on a hostile repository, under strace and without a network",
        offline.observed,
        some(offline.commands),
        EVERY,
        EVERY,
        missing=offline.missing,
    ),
    Gate(
        "canary secrets",
        "ways to fail in a house full of secrets, every byte written searched for them in seven spellings",
        canaries.searched,
        some(canaries.items),
        110,
        EVERY,
    ),
    Gate(
        "hostile text",
        "commands on playbooks full of control characters, hidden characters and markup",
        lambda name, guarded: hostile.commands_hold(name, guarded=guarded),
        some(lambda: ((name, guarded) for name in HOSTILE for guarded in (False, True))),
        EVERY,
        EVERY,
    ),
    Gate(
        "sabotages",
        "safeguards taken out one at a time, and each noticed",
        _sabotaged,
        lambda _: [(name,) for name in sabotage.SABOTAGES],
        EVERY,
        EVERY,
        listed="noticed by the item numbered",
    ),
)


def gate_of(name: str) -> Gate:
    """The gate called *name*."""
    return next(gate for gate in GATES if gate.name == name)
