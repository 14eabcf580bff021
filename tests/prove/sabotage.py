"""Safeguards taken out one at a time: a proof that does not notice one of them proves nothing about it."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from runner.adapters import lease
from runner.conductor import loop
from runner.conductor import measuring as taking
from runner.engine import evolve, measuring, way_back, working
from runner.engine.events import EffectIntended
from runner.engine.judged import Judged
from runner.errors import ConflictError, RunnerError, TransientError
from runner.journal import codec
from runner.journal import file as journal_file
from runner.journal.configmap import ConfigMapJournal
from runner.model.checks import Verdict
from runner.stages import apply, sealing, shift
from tests.prove import concealing, contenders, gates, in_cluster, outside, records, simulation
from tests.prove.faults import Disk, FaultyJournal
from tests.prove.patching import patched
from tests.prove.stories import STORIES

TRIES = 5_000  # histories within which each must be noticed
Gate = Callable[[int], object]
RANDOM: Gate = gates.random_history
RIVALS: Gate = gates.rivals
IN_CLUSTER: Gate = in_cluster.history


def _no_intent() -> Any:
    count = loop.Conductor._count

    def counted(self: Any, *events: Any) -> None:
        count(self, *(event for event in events if not isinstance(event, EffectIntended)))

    return patched(loop.Conductor, _count=counted)


def _deaf_to_the_journal() -> Any:
    """Goes on as if what the journal could not take were recorded."""
    settle = loop.Conductor._settle

    def settled(self: Any) -> None:
        with suppress(TransientError):
            settle(self)

    return patched(loop.Conductor, _settle=settled)


def _blindly_appended() -> Any:
    """Takes an unknown outcome for a write that did not happen, and sends the text once more behind what is there."""

    def looked(self: Any, text: str) -> bool:
        self._part = self._here()
        return False

    return patched(ConfigMapJournal, _is_there=looked)


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
        if (
            type(event).__name__ == "RunResumed"
            and after.rollback is not None
            and after.rollback.verified is None
        ):
            return replace(after, rollback=None, failed=None)
        return after

    return patched(loop, evolve=forgetful), patched(simulation, replay=_replay(forgetful))


def _replay(evolved: Any) -> Any:
    from functools import reduce

    return lambda state, events: reduce(evolved, events, state)


def _soak_goes_on() -> Any:
    """A soak that nobody watched counts all the same."""
    real = evolve._resumed

    def kept(state: Any, event: Any) -> Any:
        after = real(state, event)
        if after.stage is None or state.stage is None:
            return after
        return replace(after, stage=replace(after.stage, started_at=state.stage.started_at))

    return patched(evolve, _resumed=kept)


def _soak_is_over() -> Any:
    """A resumed wait is taken for done."""
    real = evolve._resumed

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
    real = FaultyJournal._synchronising

    def unsafe(self: Any, events: Any) -> Any:
        safe = self.disk.safe
        lines = real(self, events)
        self.disk.safe = safe
        return lines

    return patched(FaultyJournal, _synchronising=unsafe)


def _seal_nothing() -> Any:
    return patched(sealing, seal=lambda *_: None), patched(simulation, seal=lambda *_: None)


def _one_pass_is_enough() -> Any:
    real = measuring.judging

    def hasty(state: Any, stage: Any, step: Any, now: float) -> Any:
        return real(state, stage, replace(step, count=1), now)

    return patched(working, judging=hasty)


def _unsummed() -> Any:
    """A line is believed whatever its sum says."""
    real = codec._split_sum

    def believed(line: str) -> tuple[str, str]:
        text, _ = real(line)
        return text, codec.checksum(text)

    return patched(codec, _split_sum=believed)


def _unchained() -> Any:
    """A line is believed whatever stood before it."""
    real = codec.decode

    def alone(line: str, link: Any) -> Any:
        del link
        return real(line, None)

    return patched(journal_file, decode=alone)


def _wall_clock() -> Any:
    """A holder counts as dead when its renewTime lies in the past of this machine's clock."""

    def free(self: Any, ref: Any) -> Any:
        seen = self._cluster.get(ref)
        if seen is None or lease._holder(seen) in ("", self._holder):
            return seen
        renewed = datetime.fromisoformat(seen["spec"]["renewTime"]).timestamp()
        if self._clock.now() - renewed >= lease.DURATION:
            return seen
        raise lease._locked(ref, seen)

    return patched(lease.ClusterLease, _free=free)


def _blind_retry() -> Any:
    """A conflict is answered by the same write on top of what is there now."""
    real = simulation.FaultyCluster.replace

    def again(self: Any, changed: Any) -> Any:
        from runner.stages.writing import ref_of

        try:
            return real(self, changed)
        except ConflictError:
            now = self.inner.get(ref_of(changed))
            version = now["metadata"]["resourceVersion"]
            return real(self, {**changed, "metadata": {**changed["metadata"], "resourceVersion": version}})

    return patched(simulation.FaultyCluster, replace=again)


def _forced() -> Any:
    """Server-side apply that takes what others own."""

    def sent(effect: Any, cluster: Any) -> Any:
        cluster.apply(effect.manifest.object, force=True)
        return {}

    return patched(apply, _sent=sent)


def _unnamed() -> Any:
    """The folder of a new state file is never synchronised."""
    real = Disk.synchronised

    def files_only(self: Any, descriptor: int) -> None:
        real(self, descriptor)
        self.named = False

    def creating(self: Any, create: Any) -> Any:
        journal = made(self, create)
        self.named = False
        return journal

    made = Disk.creating
    return patched(Disk, synchronised=files_only, creating=creating)


def _empty_draft() -> Any:
    """The first line of a new state file is never synchronised."""
    real = Disk.creating

    def careless(self: Any, create: Any) -> Any:
        journal = real(self, create)
        self.safe = 0
        return journal

    return patched(Disk, creating=careless)


def _no_second_look() -> Any:
    """A failed stage is begun again by whoever takes the run up."""
    real = evolve._resumed

    def forgiving(state: Any, event: Any) -> Any:
        return replace(real(state, event), failed=None)

    return patched(evolve, _resumed=forgiving)


def _forgets_unknown() -> Any:
    """A rollback that takes back only what is known to have happened."""
    return patched(way_back, _unknown_moves=lambda state: {})


def _older_record() -> Any:
    """A record that has lost its end is as good as any."""
    return patched(sealing, _refuse_older_record=lambda *_: None)


def _cut(seed: int) -> object:
    """A cut record, among those that the gate plays."""
    rng = random.Random(seed)
    story = rng.randrange(len(STORIES))
    return records.cut_at(story, rng.randrange(len(records.whole(story))))


def _crash(seed: int) -> object:
    """A crash at one moment after the other of a release that fails."""
    return gates.crash_at(1, 1 + seed % gates.moments(STORIES[1]), seed)


def _flip(seed: int) -> object:
    story = 0
    return records.flipped(story, random.Random(seed).randrange(len(records.whole(story)) * 8))


def _line(seed: int) -> object:
    lines = list(records.lines())
    return records.reordered(*random.Random(seed).choice(lines))


SABOTAGES: Mapping[str, tuple[Callable[[], Any], Gate]] = {
    "no durable intent": (_no_intent, RANDOM),
    "effects before the journal answers": (_deaf_to_the_journal, IN_CLUSTER),
    "a lost append sent again": (_blindly_appended, IN_CLUSTER),
    "no synchronisation": (_no_durability, RANDOM),
    "no marker": (lambda: patched(shift, with_marker=lambda found, marker: found), RANDOM),
    "no resourceVersion": (_unconditional, RANDOM),
    "no read-back": (_no_proof, RANDOM),
    "no drift check": (lambda: patched(shift, _refuse_drift=lambda *_: None), RANDOM),
    "relative weights": (_relative, RANDOM),
    "no data passes": (lambda: _passes(lambda said: "no series" in said.reason), RANDOM),
    "whatever is inconclusive passes": (lambda: _passes(lambda said: True), RANDOM),
    "warnings pass": (
        lambda: _passes(lambda said: "warn" in said.reason or "partial" in said.reason),
        RANDOM,
    ),
    "several series pass": (
        lambda: _passes(lambda said: "series" in said.reason and "no series" not in said.reason),
        RANDOM,
    ),
    "windows reach before the shift": (_no_wait_for_window, RANDOM),
    "a resumed rollback is forgotten": (_forgets_rollback, RANDOM),
    "an unwatched soak counts": (_soak_goes_on, RANDOM),
    "a resumed soak is over": (_soak_is_over, RANDOM),
    "one pass is enough": (_one_pass_is_enough, RANDOM),
    "nothing is sealed": (_seal_nothing, RIVALS),
    "a conflict is retried blindly": (_blind_retry, RIVALS),
    "apply is forced": (_forced, gates.applied_over),
    "the folder is not synchronised": (_unnamed, RANDOM),
    "the first line is not synchronised": (_empty_draft, RANDOM),
    "a failed stage is begun again": (_no_second_look, _crash),
    "unknown writes are forgotten": (_forgets_unknown, RANDOM),
    "an older record is good enough": (_older_record, _cut),
    "sums are not checked": (_unsummed, _flip),
    "lines are not chained": (_unchained, _line),
    "leases by the wall clock": (_wall_clock, contenders.contended),
    "no epoch": (lambda: patched(shift, _refuse_superseded=lambda *_: None), RIVALS),
    **outside.OUTSIDE,
    **concealing.SABOTAGES,
}
"""Each with the gate that must notice it."""


def caught(name: str, seeds: Iterable[int]) -> int | None:
    """The first of *seeds* whose history shows that *name* is missing; None when none does."""
    make, gate = SABOTAGES[name]
    made = make()
    with _all(made if isinstance(made, tuple) else (made,)):
        for seed in seeds:
            try:
                gate(seed)
            except (AssertionError, RunnerError):  # what no gate lets through
                return seed
    return None


@contextmanager
def _all(patches: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield
