"""Watches every write and every event, and raises where a promise is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from runner.engine.events import (
    EffectIntended,
    Event,
    MeasurementTaken,
    Outcome,
    RollbackStarted,
    RunFinished,
    RunPaused,
    RunResumed,
    SplitChanged,
    StageFailed,
    StageStarted,
    StageSucceeded,
)
from runner.model.checks import Verdict
from runner.model.playbook import Playbook
from runner.model.stages import KubeObject, Promote, Shift, Verify, Wait
from runner.promql import inspect
from runner.routers import istio
from runner.routers.marker import marker_of


class Violation(AssertionError):
    """A promise was broken."""


@dataclass
class Oracle:
    """P1 to P5 of what the project promises, checked at every write; the rest when a run ends."""

    playbook: Playbook
    baseline: Mapping[str, int]
    journal: list[Event] = field(default_factory=list)
    weights: list[dict[str, int]] = field(default_factory=list)
    foreign: dict[str, int] | None = None
    epoch: int = 0
    writes: int = 0
    unread: bool = False
    elsewhere: bool = False

    def wrote(self, written: KubeObject) -> None:
        """One write of the run took place."""
        if written["kind"] != "VirtualService":
            return
        self.writes += 1
        weights = self.weights_of(written)
        marker = marker_of(written)
        self._declared(weights)
        self._rises_on_evidence(weights)
        if marker is not None:
            self._not_superseded(marker.epoch)
        if self.foreign is not None and not self._going_back() and weights != self.foreign:
            raise Violation(f"P4: somebody's {self.foreign} was overwritten with {weights}")
        if self.elsewhere and not self._going_back() and weights != (self.weights or [self.baseline])[-1]:
            raise Violation(f"P4: {weights} on a host that somebody else has chosen")
        if weights != self.foreign:
            self.foreign = None  # what only seals somebody's change leaves it theirs
        self.unread = self.unread or weights != (self.weights[-1] if self.weights else dict(self.baseline))
        self.weights.append(weights)

    def looked(self, kind: str) -> None:
        """The run read an object back."""
        if kind == "VirtualService":
            self.unread = False

    def edited(self, weights: Mapping[str, int]) -> None:
        """Somebody else wrote; what was so already is no change of theirs."""
        edited = {name: weight for name, weight in weights.items() if weight}
        before = self.weights[-1] if self.weights else dict(self.baseline)
        if edited == self.baseline and not self._has_begun():
            self.foreign = (
                None  # a release starts where it finds the canary without traffic, whoever saw to that
            )
        elif edited != before or self.foreign is not None:
            self.foreign = edited
        self.weights.append(edited)

    def rehosted(self) -> None:
        """Somebody else sends the route's traffic to another host; before the run's first word that is its start."""
        self.elsewhere = any(isinstance(e, EffectIntended) and "host" in e.want for e in self.journal)

    def appended(self, events: Sequence[Event]) -> None:
        """Events became durable."""
        for event in events:
            self.journal.append(event)
            if isinstance(event, StageStarted):
                self._no_second_chance(event)
            if isinstance(event, StageSucceeded):
                self._stage_was_whole(event)
            if isinstance(event, MeasurementTaken) and event.verdict is Verdict.PASSED:
                self._passed_on_evidence(event)
            if isinstance(event, SplitChanged) and event.stage == "accepted":
                self.foreign = None

    def ended(self, code: int, live: KubeObject, goal: Mapping[str, int]) -> None:
        """P3: what the exit code says of the traffic is so."""
        weights, last = self.weights_of(live), self.journal[-1] if self.journal else None
        done = isinstance(last, RunFinished) and last.outcome is Outcome.SUCCEEDED
        if code == 0 and done and weights != dict(goal) and self.foreign is None:
            raise Violation(f"P3: exit 0 at {weights}, the goal is {goal}")
        if code in (0, 3) and self.unread:
            raise Violation(f"P3: exit {code}, and the last write was never read back")
        # Before it has moved a route, a run says nothing of it; what people did there is theirs.
        if code == 3 and weights.get("v3", 0) and self.writes and self.foreign is None:
            raise Violation(f"P3: exit 3 at {weights}")

    def _passed_on_evidence(self, event: MeasurementTaken) -> None:
        """No pass without series, on what is no number, on a part, or on samples from before the split."""
        for part, answer in event.evidence["answers"].items():
            series = answer.get("series", ())
            bad = part.endswith("bad")
            if ("error" in answer) or (not series and not bad) or answer.get("warnings"):
                raise Violation(f"passed on no evidence: {answer}")
            if len(series) > 1 or any(not isfinite(float(item["value"])) for item in series):
                raise Violation(f"passed on what cannot be judged: {series}")
        since = event.evidence["since"]
        for text in event.evidence["queries"].values():
            reach = inspect(text).reach or 0.0
            if since is not None and event.at - max(reach, 1.0) < since - 1.0:
                raise Violation(
                    f"passed on samples from before the split: {text} at {event.at - since:.1f} s"
                )

    def weights_of(self, found: KubeObject) -> dict[str, int]:
        """The split of the first route, as its router reads it."""
        return istio.read(found, self.playbook.routes[0]).as_dict()

    def _declared(self, weights: Mapping[str, int]) -> None:
        """P1: only splits of the playbook, or the one that was there before."""
        stages = [stage.kind for stage in self.playbook.stages]
        declared = [kind.split.as_dict() for kind in stages if isinstance(kind, Shift)]
        declared += (
            [{self.playbook.routes[0].canary: 100}] if any(isinstance(k, Promote) for k in stages) else []
        )
        if sum(weights.values()) != 100 or dict(weights) not in [
            *declared,
            dict(self.baseline),
            *self.weights,
        ]:
            raise Violation(f"P1: {weights} is no split of the playbook")

    def _rises_on_evidence(self, weights: Mapping[str, int]) -> None:
        """P2: the canary rises only after every verify since its last rise has passed on newer data."""
        before = self.weights[-1].get("v3", 0) if self.weights else self.baseline.get("v3", 0)
        if weights.get("v3", 0) <= before or before == 0:
            return
        since = max((e.at for e in self.journal if isinstance(e, SplitChanged)), default=0.0)
        for verify in self._verifies_between(before, weights.get("v3", 0)):
            passed = [
                e
                for e in self.journal
                if isinstance(e, MeasurementTaken)
                and e.stage == verify.name
                and e.verdict is Verdict.PASSED
                and e.at >= since
            ]
            kind: Any = verify.kind
            if len(passed) < kind.count:
                raise Violation(f"P2: rose to {weights} with {len(passed)} passes of {verify.name!r}")
        if self.rolled_back():
            raise Violation(f"P2: rose to {weights} after the rollback began")

    def _verifies_between(self, before: int, after: int) -> list[Any]:
        """The verify stages between the shift that set *before* and the one that sets *after*."""
        found, inside = [], False
        for stage in self.playbook.stages:
            if isinstance(stage.kind, Shift):
                if stage.kind.split["v3"] == after:
                    break
                inside = inside or stage.kind.split["v3"] == before
            elif inside and isinstance(stage.kind, Verify):
                found.append(stage)
        return found

    def _not_superseded(self, epoch: int) -> None:
        """P5: nobody writes after its successor has."""
        if epoch < self.epoch:
            raise Violation(f"P5: epoch {epoch} wrote after epoch {self.epoch}")
        self.epoch = epoch

    def _no_second_chance(self, event: StageStarted) -> None:
        """A stage that failed is begun again only by a person's word, after the run has said that it stands."""
        said = (StageFailed, RunPaused, RollbackStarted)
        last = next((e for e in reversed(self.journal[:-1]) if isinstance(e, said)), None)
        if isinstance(last, StageFailed):
            raise Violation(f"{event.stage!r} was begun after {last.stage!r} had failed")

    def _stage_was_whole(self, event: StageSucceeded) -> None:
        stage = next((s for s in self.playbook.stages if s.name == event.stage), None)
        if stage is None or not isinstance(stage.kind, Wait):
            return
        began = max(e.at for e in self.journal if isinstance(e, StageStarted) and e.stage == event.stage)
        if event.at - began < stage.kind.duration - 0.01:
            raise Violation(f"{event.stage!r} took {event.at - began:.1f} s, not {stage.kind.duration}")
        self._was_watched(event, began)

    def _was_watched(self, event: StageSucceeded, began: float) -> None:
        """A soak that nobody watched for long does not count: it starts again."""
        every = min((guard.every for guard in self.playbook.guards), default=None)
        if every is None:
            return
        stage = next(s.kind for s in self.playbook.stages if s.name == event.stage)
        last = began
        for known in (e for e in self.journal if e.at >= began):
            if isinstance(known, RunResumed) and known.at - last > 2 * every + 0.01:
                began = known.at
            last = known.at
        if isinstance(stage, Wait) and event.at - began < stage.duration - 0.01:
            raise Violation(f"{event.stage!r} was watched for {event.at - began:.1f} s only")

    def _has_begun(self) -> bool:
        """Whether the run has said from where it moves the route."""
        return any(isinstance(e, EffectIntended) and e.ref.kind == "VirtualService" for e in self.journal)

    def _going_back(self) -> bool:
        return self.rolled_back()

    def rolled_back(self) -> bool:
        """Whether a rollback has begun."""
        return any(isinstance(event, RollbackStarted) for event in self.journal)
