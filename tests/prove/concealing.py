"""What keeps secrets in and control characters out, taken out piece by piece."""

import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from runner import errors, logs, secrecy
from runner.adapters import exec_plugin, metrics_source, wire
from runner.cli import entry
from runner.document import nodes, tree
from runner.journal import codec
from runner.reports import by_hand, escape, streams
from tests.escaping import oracle
from tests.prove import canaries
from tests.prove.patching import replaced

NEVER = re.compile("(?!)")


def _as_it_is(text: str) -> str:
    return text


def _openly(*modules: Any) -> Callable[[], Any]:
    """These modules pass on what they should hide."""
    return lambda: replaced(*((module, "hide", _as_it_is) for module in modules))


def _locals_in_tracebacks() -> Any:
    def printed(error: BaseException) -> None:
        traceback.TracebackException.from_exception(error, capture_locals=True).print()

    return replaced((traceback, "print_exception", printed))


def _locals_in_logs() -> Any:
    tracebacks = logs.structlog.tracebacks
    real = tracebacks.ExceptionDictTransformer
    return replaced((tracebacks, "ExceptionDictTransformer", lambda show_locals: real(show_locals=True)))


def _case(*names: str) -> Callable[[int], object]:
    return lambda seed: canaries.searched(names[seed % len(names)])


def _text(check: Callable[..., None], *arguments: Any) -> Callable[[int], object]:
    return lambda _: check(*arguments)


Sabotage = tuple[Callable[[], Any], Callable[[int], object]]
SABOTAGES: Mapping[str, Sabotage] = {
    "masking taken out": (
        lambda: replaced((secrecy, "_spans", lambda *_: ()), (secrecy, "SHAPES", ())),
        _case("403 with the request quoted"),
    ),
    "secrets are not made known": (
        lambda: replaced(
            *((module, "keep_secret", lambda _: None) for module in (secrecy, exec_plugin, metrics_source))
        ),
        _case("403 with the request quoted"),
    ),
    "shapes are not known": (
        lambda: replaced((secrecy, "SHAPES", ())),
        _case("a plugin that fails and prints what it knows", "an address with a password in the playbook"),
    ),
    "masked after it was cut": (_openly(wire, errors), _case("a token cut in the middle")),
    "streams without a mask": (_openly(streams), _case("a crash of the program")),
    "streams without a guard": (
        lambda: replaced((entry, "guarding", replaced)),
        _case("a crash of the program"),
    ),
    "logs without a mask": (_openly(logs), _case("a library that logs")),
    "a state file without a mask": (_openly(codec), _case("a Prometheus that quotes the request in labels")),
    "tracebacks with locals": (_locals_in_tracebacks, _case("a crash of the program with details")),
    "tracebacks with locals in logs": (_locals_in_logs, _case("a library that logs")),
    "files of secrets are quoted": (
        lambda: replaced((nodes, "PRIVATE", NEVER), (tree, "PRIVATE", NEVER)),
        _case("a Config that is no YAML in the line of a token"),
    ),
    "escaping taken out": (
        lambda: replaced((escape, "DANGEROUS", NEVER)),
        _text(oracle.page_holds, "lines", "the clipboard (OSC 52)"),
    ),
    "a name is no longer one word": (
        lambda: replaced((by_hand, "_word", _as_it_is)),
        _text(oracle.words_hold, "a command to the shell"),
    ),
}
"""Each with the case that must notice it."""
LONG = (
    "logs without a mask",
    "a state file without a mask",
    "tracebacks with locals in logs",
    "masking taken out",
)
"""Those whose case plays a release to its end, which takes seconds."""
