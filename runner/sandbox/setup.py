"""All that a world is made from, as one value that a line of text can hold."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from runner.model import scenario, split, stages
from runner.model.scenario import LATENCY, SCRAPE, Load, SeriesRule, When
from runner.model.stages import KubeObject

HISTORY = 600  # seconds that the world has run before the start


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests to one route: where they enter, and which subsets the release calls canary and stable.

    *host* is the Service where no VirtualService routes them. No request comes before every one of *gateways*
    (`namespace/name`) is there.
    """

    name: str
    namespace: str
    host: str
    load: Load
    virtual_service: str | None = None
    http: str | int | None = None
    canary: str = ""
    stable: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    latency: float = LATENCY
    gateways: tuple[str, ...] = ()

    def subset(self, role: str) -> str:
        """The subset that a scenario means by *role*."""
        return {"canary": self.canary, "stable": self.stable}.get(role, role)


@dataclass(frozen=True, slots=True)
class Setup:
    """A world before anything has happened. *objects* are (manager, object); *start* is Unix seconds."""

    seed: int
    start: float
    streams: tuple[Stream, ...] = ()
    objects: tuple[tuple[str, KubeObject], ...] = ()
    when: tuple[When, ...] = ()
    series: tuple[SeriesRule, ...] = ()
    scrape: float = SCRAPE
    namespace: str = "default"
    assumptions: tuple[str, ...] = ()


def encode(value: Any) -> Any:
    """A frozen value as JSON: `_` names its class, everything else is its fields."""
    if isinstance(value, Enum):
        return {"_": type(value).__name__, "value": value.value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"_": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {"_": "json", "value": plain(value)}
    return [encode(item) for item in value] if isinstance(value, tuple) else value


def plain(value: Any) -> Any:
    """JSON in Python's own dicts and lists, whatever mappings and sequences it came in."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def decode(value: Any) -> Any:
    """What `encode` was given. KeyError or TypeError when *value* was never encoded."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value["_"] == "json":
        return value["value"]
    made = _CLASSES[value["_"]]
    return made(**{name: decode(inner) for name, inner in value.items() if name != "_"})


_CLASSES: Mapping[str, Any] = {
    "Stream": Stream,
    "Setup": Setup,
    "Split": split.Split,
    "Manifest": stages.Manifest,
    **{
        name: found
        for name, found in vars(scenario).items()
        if isinstance(found, type) and found.__module__ == scenario.__name__
    },
}
