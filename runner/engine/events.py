"""Facts about a run, past tense: what the state file, `-o jsonl`, logs and reports are made of.

Field names are the keys of a journal line; a trailing underscore avoids a Python keyword.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runner.model.checks import Verdict
from runner.model.playbook import Route
from runner.model.split import Split


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"


@dataclass(frozen=True, slots=True)
class Ref:
    """Names one effect of a run: the *n*-th of this stage's attempt, and the object it is about."""

    stage: str
    attempt: int
    kind: str
    namespace: str
    name: str
    n: int

    def weighs(self, route: Route) -> bool:
        """Whether the object is the VirtualService of *route*."""
        place = ("VirtualService", route.namespace, route.virtual_service)
        return (self.kind, self.namespace, self.name) == place


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first line: all that `resume` needs, rendered."""

    at: float
    playbook: Mapping[str, Any]
    variables: Mapping[str, Any]
    manifests: Mapping[str, Any]
    target: Mapping[str, Any]
    digest: str
    scenario: Mapping[str, Any] | None = None
    seed: int | None = None
    source: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunResumed:
    at: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The run waits for a person; *code* is the exit code (0 where it was asked to stop here)."""

    at: float
    reason: str
    code: int = 5
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """The run stopped where it stood; *code* is the exit code."""

    at: float
    reason: str
    code: int


@dataclass(frozen=True, slots=True)
class RunFinished:
    at: float
    outcome: Outcome
    splits: Mapping[str, Split]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StageStarted:
    at: float
    stage: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StageSucceeded:
    at: float
    stage: str


@dataclass(frozen=True, slots=True)
class StageFailed:
    at: float
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageSkipped:
    at: float
    stage: str
    reason: str
    route: str | None = None


@dataclass(frozen=True, slots=True)
class EffectIntended:
    """What is about to be written, and what was found before; durable before the write."""

    at: float
    ref: Ref
    want: Mapping[str, Any]
    found: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EffectDone:
    """The write was read back."""

    at: float
    ref: Ref
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitChanged:
    at: float
    route: str
    from_: Split | None
    to: Split
    stage: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementTaken:
    """One measurement of one check, by a verify stage or by a guard (then *stage* is None)."""

    at: float
    check: str
    value: float | None
    verdict: Verdict
    reason: str
    stage: str | None = None
    guard: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """*cause* is the outcome that the run will have; *to* names the safe split of every route that goes back."""

    at: float
    reason: str
    cause: Outcome
    to: Mapping[str, Split]


@dataclass(frozen=True, slots=True)
class RollbackFinished:
    at: float
    verified: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GateOpened:
    at: float
    stage: str
    message: str
    until: float


@dataclass(frozen=True, slots=True)
class GateAnswered:
    """*answer* is `approved`, `refused` or `timed out`."""

    at: float
    stage: str
    answer: str
    by: str
    reason: str = ""


RunEvent = RunStarted | RunResumed | RunPaused | RunInterrupted | RunFinished
StageEvent = StageStarted | StageSucceeded | StageFailed | StageSkipped
EffectEvent = EffectIntended | EffectDone | SplitChanged
RollbackEvent = RollbackStarted | RollbackFinished
GateEvent = GateOpened | GateAnswered
Event = RunEvent | StageEvent | EffectEvent | MeasurementTaken | RollbackEvent | GateEvent

EVENT_NAMES: Mapping[type, str] = {
    RunStarted: "run.started",
    RunResumed: "run.resumed",
    RunPaused: "run.paused",
    RunInterrupted: "run.interrupted",
    RunFinished: "run.finished",
    StageStarted: "stage.started",
    StageSucceeded: "stage.succeeded",
    StageFailed: "stage.failed",
    StageSkipped: "stage.skipped",
    EffectIntended: "effect.intended",
    EffectDone: "effect.done",
    SplitChanged: "split.changed",
    MeasurementTaken: "measurement.taken",
    RollbackStarted: "rollback.started",
    RollbackFinished: "rollback.finished",
    GateOpened: "gate.opened",
    GateAnswered: "gate.answered",
}
