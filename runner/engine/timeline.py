"""How long a playbook takes when it succeeds: at best, with everything ready at once, and at worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from runner.engine.measuring import pace
from runner.model.playbook import Playbook
from runner.model.stages import Apply, Approve, Promote, Scale, Shift, Stage, Verify, Wait


@dataclass(frozen=True, slots=True)
class Span:
    """One stage's duration in seconds; *best* and *worst* are those of a stage that succeeds."""

    stage: str
    best: float
    worst: float


def timeline(playbook: Playbook) -> tuple[Span, ...]:
    """The span of every stage, in order; writes and questions themselves count as instant."""
    spans: list[Span] = []
    since_shift = None
    for stage in playbook.stages:
        span = _span(stage, since_shift)
        spans.append(span)
        if isinstance(stage.kind, Shift | Promote):
            since_shift = 0.0
        elif since_shift is not None:
            since_shift += span.best
    return tuple(spans)


def total(spans: Sequence[Span]) -> Span:
    """All stages one after another, under the name `total`."""
    return Span("total", sum(span.best for span in spans), sum(span.worst for span in spans))


def outlived(playbook: Playbook, seconds: float, *, worst: bool = False) -> str | None:
    """The stage in which *seconds* are over, each at its best, or at its *worst*; None where all are done before."""
    for span in timeline(playbook):
        seconds -= span.worst if worst else span.best
        if seconds < 0:
            return span.stage
    return None


def _span(stage: Stage, since_shift: float | None) -> Span:
    """*since_shift* is how long ago, at best, the newest shift was; None where there was none."""
    match stage.kind:
        case Apply(ready=ready):
            return Span(stage.name, 0.0, ready or 0.0)
        case Shift(ready=ready) | Scale(ready=ready) | Promote(ready=ready):
            return Span(stage.name, 0.0, ready)
        case Wait(duration=duration):
            return Span(stage.name, duration, duration)
        case Verify():
            return _verify(stage.name, stage.kind, since_shift)
        case Approve(timeout=timeout):
            return Span(stage.name, 0.0, timeout)
        case _:
            assert_never(stage.kind)


def _verify(name: str, verify: Verify, since_shift: float | None) -> Span:
    """A window must lie after the last shift; each measurement may be taken again until patience runs out."""
    lookback = max((check.lookback for check in verify.checks), default=0.0)
    settling = 0.0 if since_shift is None else max(0.0, lookback - since_shift)
    every = max((pace(check, verify.every) for check in verify.checks), default=verify.every)
    best = settling + (verify.count - 1) * every
    return Span(name, best, best + verify.count * verify.patience)
