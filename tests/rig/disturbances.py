"""Scenarios of disturbance as data: what happens to a run, when, and which commands follow.

The same words are staged with real parts (`theatre.py`) and in the simulator (`tests/prove/twin.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "disturbances"
PLAYBOOK = Path(__file__).parent / "playbooks" / "disturbed.yaml"
WORLD = Path(__file__).parent / "playbooks" / "disturbed" / "world.yaml"
SHARED = ("api", "etcd")  # deeds that everybody on the same control plane suffers
MODIFIERS = ("at", "after", "for")


@dataclass(frozen=True, slots=True)
class Happening:
    """*deed* with *what*, at a moment: `stage`, NAME, seconds after it began; or `before` and `after` write N of NAME.

    Writes of an object are counted over all processes; one that fails counts too. *lasting* is None for once, or for ever.
    """

    moment: str
    name: str
    number: int
    delay: float
    deed: str
    what: Any
    lasting: float | None

    def is_write(self, moment: str, name: str, number: int) -> bool:
        """Whether this happens at that write."""
        return (self.moment, self.name, self.number) == (moment, name, number)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run and what happens to it; *then* are commands, one after another, once it has ended or stands still."""

    name: str
    group: str
    when: tuple[Happening, ...]
    then: tuple[str, ...]
    canary: str  # well, or bad: every answer of it is an error
    state: str  # file, or configmap
    user: str  # admin, or an account with the least Role: granted, expiring, plugin
    variables: dict[str, str]
    quick: bool

    @property
    def alone(self) -> bool:
        """Whether nothing else may be played on the same control plane."""
        return any(happening.deed in SHARED for happening in self.when)

    @property
    def stops(self) -> bool:
        """Whether the first process is stopped, and wakes when everything else is over."""
        return any(happening.deed == "stop" for happening in self.when)


def scenarios(folder: Path = FOLDER) -> list[Scenario]:
    """All of them, in the order of the files."""
    return [one for path in sorted(folder.glob("*.yaml")) for one in _read(path)]


def _read(path: Path) -> Iterator[Scenario]:
    for raw in yaml.load(path.read_text(), Loader=yaml.CSafeLoader):
        yield Scenario(
            name=raw.pop("name"),
            group=path.stem.partition("-")[2],
            when=tuple(_happening(item) for item in raw.pop("when", [])),
            then=tuple(raw.pop("then", [])),
            canary=raw.pop("canary", "well"),
            state=raw.pop("state", "file"),
            user=raw.pop("user", "admin"),
            variables=raw.pop("vars", {}),
            quick=raw.pop("quick", False),
        )
        assert not raw, f"{path}: nobody reads {raw}"


def _happening(raw: dict[str, Any]) -> Happening:
    moment, _, rest = raw["at"].partition(": ")
    name, number = (rest, 0) if moment == "stage" else (rest.rsplit(" ", 1)[0], int(rest.rsplit(" ", 1)[1]))
    deeds = [key for key in raw if key not in MODIFIERS]
    assert moment in ("stage", "before", "after"), f"no such moment: {raw}"
    assert len(deeds) == 1, f"not one deed: {raw}"
    lasting = _seconds(raw["for"]) if "for" in raw else None
    return Happening(moment, name, number, _seconds(raw.get("after", "0s")), deeds[0], raw[deeds[0]], lasting)


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
