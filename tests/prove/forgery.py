"""State files whose sums fit and whose story does not: events twice, missing, moved, of another run, at odd times."""

import json
import random
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from runner.journal.codec import FIRST, checksum
from tests.prove.fuzz import ANY, STATES, called, in_folder
from tests.prove.rubbish import altered

Body = dict[str, Any]
Bodies = list[Body]
TIMES = (
    "0001-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.000Z",
    "2026-01-01T00:00:00",
    "2500-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
)
WORDS = ("nope", "", "rollback", "accepted", "v9", "\ud800", "a\nb", "\x1b[2J", "x" * 5000)
NUMBERS = (-1, 0, 1, 2**63, -(2**70), 10**400, 0.5, 1e300, 5e-324)
SPLITS: tuple[Body, ...] = ({}, {"nope": 100}, {"v1": -20, "v3": 120}, {"v1": 50, "v3": 51}, {"v3": 100})
CHAIN = {"v", "seq", "prev", "sum"}


def state(seed: int) -> dict[str, int]:
    """A forged state file with its world, or the file as it was with a forged world, through the commands that read it."""
    rng = random.Random(seed)
    source = rng.choice(_with_worlds())
    told, world = source.read_bytes(), Path(f"{source}.world").read_bytes()
    if rng.random() < 0.75:
        told = chained(_forged(rng, told))
    else:
        world = _lines(_meddled(rng, _bodies(world)))
    with in_folder() as folder:
        file = folder / "run.jsonl"
        for path, content in ((file, told), (Path(f"{file}.world"), world)):
            path.write_bytes(content)
            path.chmod(0o600)
        code = called(["status", str(file), "-o", rng.choice(("text", "json"))], ANY)
        called(["audit", str(file)], ANY)
        called([rng.choice(("resume", "rollback", "abort")), str(file), "-y"], ANY)
        called(["status", str(file)], ANY)
    return {"readable": int(code == 0)}


@cache
def _with_worlds() -> tuple[Path, ...]:
    return tuple(file for file in STATES if Path(f"{file}.world").exists())


@cache
def _donors() -> tuple[Body, ...]:
    """Every event of every kept run but the first ones."""
    return tuple(body for file in _with_worlds() for body in _bodies(file.read_bytes())[1:])


def _bodies(text: bytes) -> Bodies:
    return [json.loads(line) for line in text.splitlines()]


def _forged(rng: random.Random, text: bytes) -> Bodies:
    bodies = _bodies(text)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        rng.choice(FORGERIES)(rng, bodies)
    return bodies


def _twice(rng: random.Random, bodies: Bodies) -> None:
    bodies.insert(rng.randint(1, len(bodies)), deepcopy(rng.choice(bodies[1:] or bodies)))


def _moved(rng: random.Random, bodies: Bodies) -> None:
    if len(bodies) > 2:
        bodies.insert(rng.randrange(1, len(bodies)), bodies.pop(rng.randrange(1, len(bodies))))


def _missing(rng: random.Random, bodies: Bodies) -> None:
    if len(bodies) > 2:
        bodies.pop(rng.randrange(1, len(bodies)))


def _of_another(rng: random.Random, bodies: Bodies) -> None:
    bodies.insert(rng.randint(1, len(bodies)), deepcopy(rng.choice(_donors())))


def _at_another_time(rng: random.Random, bodies: Bodies) -> None:
    rng.choice(bodies)["at"] = rng.choice(TIMES)


def _shorter(rng: random.Random, bodies: Bodies) -> None:
    del bodies[rng.randint(1, len(bodies)) :]


def _told_otherwise(rng: random.Random, bodies: Bodies) -> None:
    body = rng.choice((bodies[0], rng.choice(bodies)))
    holder, key = rng.choice([place for place in _places(body) if place[1] not in CHAIN])
    holder[key] = _like(rng, key, holder[key])


FORGERIES: tuple[Callable[[random.Random, Bodies], None], ...] = (
    _twice,
    _moved,
    _missing,
    _of_another,
    _of_another,
    _at_another_time,
    _shorter,
    _told_otherwise,
    _told_otherwise,
)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every mapping or list in *tree* with every key of it."""
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in items for place in ((tree, key), *_places(value))]


def _like(rng: random.Random, key: Any, value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return rng.choice(NUMBERS)
        case str():
            return rng.choice(TIMES if key in {"at", "until"} else WORDS)
        case dict():
            return rng.choice((*SPLITS, {**value, "more": 1}))
        case list():
            return rng.choice(([], value * 2, value[::-1]))
        case _:
            return value


def _meddled(rng: random.Random, bodies: Bodies) -> Bodies:
    """A world whose lines say something else."""
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(bodies))
        told = altered(rng, bodies[at])
        if rng.random() < 0.3:
            _twice(rng, bodies)
        elif isinstance(told, dict):
            bodies[at] = told
    return bodies


def _lines(bodies: Bodies) -> bytes:
    return "".join(f"{json.dumps(body)}\n" for body in bodies).encode()


def chained(bodies: Bodies) -> bytes:
    """The lines of *bodies* as one run's journal: every number and every sum fits."""
    prev, lines = FIRST, []
    for seq, body in enumerate(bodies, start=1):
        held = {key: value for key, value in body.items() if key not in {"prev", "sum"}}
        line = json.dumps({**held, "run": bodies[0]["run"], "seq": seq, "prev": prev}, separators=(",", ":"))
        prev = checksum(line)
        lines.append(f'{line[:-1]},"sum":"{prev}"}}\n')
    return "".join(lines).encode()
