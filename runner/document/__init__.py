"""From a file to a document that is known to be right, and from there to the model.

load -> templates -> schema -> rules -> build; every step adds diagnostics with places, and none stops at
the first. Nothing here opens a socket, starts a process or reads the environment.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.document.load import parse, read
    from runner.document.playbook import Loaded, read_playbook, rebuild
    from runner.document.scenario import read_scenario
    from runner.document.schema import check_schema
    from runner.document.tree import Document
    from runner.document.validation import Validation, validate, validate_many

_HOMES = {
    "Document": "tree",
    "Loaded": "playbook",
    "Validation": "validation",
    "check_schema": "schema",
    "parse": "load",
    "read": "load",
    "read_playbook": "playbook",
    "read_scenario": "scenario",
    "rebuild": "playbook",
    "validate": "validation",
    "validate_many": "validation",
}

__all__ = [
    "Document",
    "Loaded",
    "Validation",
    "check_schema",
    "parse",
    "read",
    "read_playbook",
    "read_scenario",
    "rebuild",
    "validate",
    "validate_many",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: a command pays only for what it uses."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
