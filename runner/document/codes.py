"""The table of diagnostics: what a code means, and the same lines wrong and right."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of diagnostic; *bad* and *good* are fragments of a playbook, empty where a text shows nothing."""

    name: str
    title: str
    why: str
    bad: str = ""
    good: str = ""


@cache
def codes() -> Mapping[str, Code]:
    """Every code by its name, in order."""
    said = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Code(name, **entry) for name, entry in said.items()}
