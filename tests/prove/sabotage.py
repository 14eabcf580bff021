"""Safeguards taken out one at a time: a proof that does not notice one of them proves nothing about it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from runner.conductor import loop, measuring as taking
from runner.engine import evolve, measuring, working
from runner.engine.events import EffectIntended
from runner.engine.judged import Judged
from runner.model.checks import Verdict
from runner.stages import shift
from tests.prove import gates, simulation
from tests.prove.faults import FaultyJournal

Gate = Callable[[int], object]
RANDOM: Gate = gates.random_history
RIVALS: Gate = gates.rivals


@contextmanager
def patched(where: Any, **changes: Any) -> Iterator[None]:
    """Names of *where* mean something else for a while."""
    before = {name: getattr(where, name) for name in changes}
    for name, value in changes.items():
        setattr(where, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(where, name, value)


def _no_intent() -> Any:
    record = loop.Conductor.record

    def recorded(self: Any, *events: Any) -> None:
        record(self, *(event for event in events if not isinstance(event, EffectIntended)))

    return patched(loop.Conductor, record=recorded)


def _unconditional() -> Any:
    """Writes whatever the object has become meanwhile."""
    real = simulation.FaultyCluster.replace

    def written(self: Any, changed: Any) -> Any:
        from runner.stages.writing import ref_of

        self._before()
        now = self.inner.get(ref_of(changed))
        version = now["metadata"]["resourceVersion"] if now else ""
        return real(self, {**changed, "metadata": {**changed["metadata"], "resourceVersion": version}})

    return patched(simulation.FaultyCluster, replace=written)


def _passes(unless: Callable[[Judged], bool]) -> Any:
    real = taking.judge

    def judged(*args: Any, **kwargs: Any) -> Judged:
        said = real(*args, **kwargs)
        if said.verdict is Verdict.INCONCLUSIVE and unless(said):
            return replace(said, verdict=Verdict.PASSED)
        return said

    return patched(taking, judge=judged)


def _no_proof() -> Any:
    return patched(loop.Conductor, _prove=lambda self, write: None)


def _relative() -> Any:
    """Adds to what it finds instead of setting what is wanted."""
    real = shift.istio.write

    def added(found: Any, route: Any, split: Any) -> Any:
        from runner.model.split import canary_split

        share = min(shift.istio.read(found, route)["v3"] + split["v3"], 100) if split["v3"] else 0
        return real(found, route, canary_split("v1", "v3", share))

    return patched(shift.istio, write=added)


def _forgets_rollback() -> Any:
    """A process that takes a run up does not know that it was going back."""
    real = evolve.evolve

    def forgetful(state: Any, event: Any) -> Any:
        after = real(state, event)
        if type(event).__name__ == "RunResumed" and after.rollback is not None and after.rollback.verified is None:
            return replace(after, rollback=None, failed=None)
        return after

    return patched(loop, evolve=forgetful), patched(simulation, replay=_replay(forgetful))


def _replay(evolved: Any) -> Any:
    from functools import reduce

    return lambda state, events: reduce(evolved, events, state)


def _soak_goes_on() -> Any:
    """A soak that nobody watched counts all the same."""
    real = evolve._resumed  # noqa: SLF001 - sabotage

    def kept(state: Any, event: Any) -> Any:
        after = real(state, event)
        if after.stage is None or state.stage is None:
            return after
        return replace(after, stage=replace(after.stage, started_at=state.stage.started_at))

    return patched(evolve, _resumed=kept)


def _soak_is_over() -> Any:
    """A resumed wait is taken for done."""
    real = evolve._resumed  # noqa: SLF001 - sabotage

    def over(state: Any, event: Any) -> Any:
        after = real(state, event)
        return after if after.stage is None else replace(after, stage=replace(after.stage, started_at=0.0))

    return patched(evolve, _resumed=over)


def _no_wait_for_window() -> Any:
    def at_once(state: Any, stage: Any, step: Any, check: Any) -> float:
        tally = stage.tallies.get(check.name)
        return stage.started_at if tally is None or tally.last_at is None else tally.last_at + step.every

    first = patched(measuring, _due=at_once)
    second = patched(taking, shorten=lambda text, longest: text)
    return first, second


def _no_durability() -> Any:
    """Appends are never synchronised."""
    real = FaultyJournal._synchronising  # noqa: SLF001 - sabotage

    def unsafe(self: Any, events: Any) -> Any:
        safe = self.disk.safe
        lines = real(self, events)
        self.disk.safe = safe
        return lines

    return patched(FaultyJournal, _synchronising=unsafe)


def _seal_nothing() -> Any:
    from runner.stages import sealing

    return patched(sealing, seal=lambda *_: None), patched(simulation, seal=lambda *_: None)


def _one_pass_is_enough() -> Any:
    real = measuring.judging

    def hasty(state: Any, stage: Any, step: Any, now: float) -> Any:
        return real(state, stage, replace(step, count=1), now)

    return patched(working, judging=hasty)


SABOTAGES: Mapping[str, tuple[Callable[[], Any], Gate]] = {
    "no durable intent": (_no_intent, RANDOM),
    "no synchronisation": (_no_durability, RANDOM),
    "no marker": (lambda: patched(shift, with_marker=lambda found, marker: found), RANDOM),
    "no resourceVersion": (_unconditional, RANDOM),
    "no read-back": (_no_proof, RANDOM),
    "no drift check": (lambda: patched(shift, _refuse_drift=lambda *_: None), RANDOM),
    "relative weights": (_relative, RANDOM),
    "no data passes": (lambda: _passes(lambda said: "no series" in said.reason), RANDOM),
    "whatever is inconclusive passes": (lambda: _passes(lambda said: True), RANDOM),
    "warnings pass": (lambda: _passes(lambda said: "warn" in said.reason or "partial" in said.reason), RANDOM),
    "several series pass": (lambda: _passes(lambda said: "series" in said.reason and "no series" not in said.reason), RANDOM),
    "windows reach before the shift": (_no_wait_for_window, RANDOM),
    "a resumed rollback is forgotten": (_forgets_rollback, RANDOM),
    "an unwatched soak counts": (_soak_goes_on, RANDOM),
    "a resumed soak is over": (_soak_is_over, RANDOM),
    "one pass is enough": (_one_pass_is_enough, RANDOM),
    "nothing is sealed": (_seal_nothing, RIVALS),
    "no epoch": (lambda: patched(shift, _refuse_superseded=lambda *_: None), RIVALS),
}
"""Each with the gate that must notice it."""


def caught(name: str, tries: int) -> int | None:
    """The first integer whose history shows that *name* is missing; None when none of *tries* does."""
    make, gate = SABOTAGES[name]
    made = make()
    with _all(made if isinstance(made, tuple) else (made,)):
        for seed in range(tries):
            try:
                gate(seed)
            except AssertionError:
                return seed
    return None


@contextmanager
def _all(patches: Any) -> Iterator[None]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


