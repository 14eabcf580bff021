"""Safeguards that lie outside of the simulator's world, each taken out, and the gate that must notice."""

from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from filelock import FileLock

from runner.adapters import attention, wire
from runner.conductor import loop
from runner.document.rules import stages
from runner.engine.events import EffectIntended
from runner.journal import file as journal_file
from runner.model.split import Split
from runner.stages import shift
from tests.prove import edges, gates, machine, signals
from tests.prove.patching import patched
from tests.prove.stories import STORIES

Gate = Callable[[int], object]


def _unheard() -> Any:
    """SIGTERM does what it does to a program that never thought of it."""
    return patched(attention, CODES={number: code for number, code in attention.CODES.items() if code != 143})


def _on_the_file() -> Any:
    """The lock is the state file itself."""
    return patched(journal_file, FileLock=lambda name, **more: FileLock(name.removesuffix(".lock"), **more))


def _unlocked() -> Any:
    """Whoever comes may write."""

    class Open:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def acquire(self, **_: Any) -> None:
            pass

        def release(self) -> None:
            pass

    return patched(journal_file, FileLock=Open)


def _sent_again() -> Any:
    """The HTTP client tries three times, whatever it is that it sends."""
    again = urllib3.Retry(
        3, allowed_methods=None, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    return patched(wire, ONCE=again)


def _hundred(_: Any) -> int:
    return 100


def _unsummed() -> Any:
    """Weights of a document are not added up."""
    return patched(stages, sum=_hundred)


def _never_summed() -> Any:
    """Weights are added up nowhere."""
    return _unsummed(), patched(Split, __post_init__=lambda self: None)


def _no_intent_back() -> Any:
    """A rollback writes without having said so."""
    count = loop.Conductor._count

    def counted(self: Any, *events: Any) -> None:
        said = (e for e in events if not (isinstance(e, EffectIntended) and e.ref.stage == "rollback"))
        count(self, *said)

    return patched(loop.Conductor, _count=counted)


def _crash_on_the_way_back(seed: int) -> object:
    return gates.crash_at(1, 1 + seed * 7 % gates.moments(STORIES[1]), seed)


def _write(seed: int) -> object:
    found = list(edges.writes())
    return edges.written(*found[seed % len(found)])


def _host(seed: int) -> object:
    """Another host before one turn after the other."""
    return gates.disturbed(0, "host", seed * 7 % gates.turns(0))


OUTSIDE: Mapping[str, tuple[Callable[[], Any], Gate]] = {
    "SIGTERM is not heard": (_unheard, lambda seed: signals.signalled("hold", "TERM", 2 + seed % 40)),
    "the lock is the state file": (_on_the_file, gates.random_history),
    "nothing is locked": (_unlocked, lambda seed: machine.played(seed, examples=5)),
    "the HTTP client repeats writes": (_sent_again, _write),
    "weights of a document are not added up": (_unsummed, edges.weighed),
    "weights are added up nowhere": (_never_summed, edges.weighed),
    "hosts are ignored in drift": (lambda: patched(shift, _refuse_other_host=lambda *_: None), _host),
    "a rollback has no intent": (_no_intent_back, _crash_on_the_way_back),
}
"""Each with the gate that must notice it."""
