"""What goes wrong at this moment, and what that means to requests, pods, the API server and Prometheus."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from runner.errors import ConflictError, RunnerError, TransientError, UnknownOutcomeError
from runner.model.scenario import (
    ApiFault,
    ApiTrouble,
    Errors,
    Gone,
    MetricsFault,
    MetricsTrouble,
    NotReady,
    Slowness,
    TrafficChange,
    When,
)
from runner.sandbox.setup import Stream
from runner.sandbox.traffic import Branch

READS = frozenset({"get", "list"})


@dataclass(slots=True)
class _Active:
    when: When
    writes: int = 0


class Faults:
    """The faults that are active now."""

    def __init__(self) -> None:
        self._active: list[_Active] = []

    def begin(self, when: When) -> None:
        """*when* goes wrong from now on."""
        self._active.append(_Active(when))

    def end(self, when: When) -> None:
        """*when* is over."""
        self._active = [active for active in self._active if active.when is not when]

    def rate(self, stream: Stream) -> float:
        """Requests a second that *stream* has."""
        rate = stream.load.rate
        for when in self._about(stream):
            if isinstance(when.fault, TrafficChange) and when.subset is None:
                rate = rate * when.fault.factor if when.fault.rate is None else when.fault.rate
        return rate

    def troubled(self, stream: Stream, branch: Branch) -> Branch:
        """*branch* with what is wrong with its endpoint now."""
        for when in self._about(stream):
            if when.subset is None or stream.subset(when.subset) == branch.subset:
                branch = _troubled(branch, when, self.rate(stream))
        return branch

    def on_pods(self, stream: Stream) -> Iterator[tuple[NotReady | Gone, str]]:
        """What is wrong with pods of *stream*, and of which subset; an empty one means all."""
        for when in self._about(stream):
            if isinstance(when.fault, NotReady | Gone):
                yield when.fault, stream.subset(when.subset or "")

    def metrics(self) -> MetricsTrouble | None:
        """How Prometheus fails, the newest trouble first."""
        for active in reversed(self._active):
            if isinstance(active.when.fault, MetricsFault):
                return active.when.fault.trouble
        return None

    def api(self, verb: str, kind: str) -> ApiTrouble | None:
        """How the API server fails this call; every write counts, so ask once a call."""
        found = None
        for active in self._active:
            fault = active.when.fault
            if isinstance(fault, ApiFault) and _meets(fault, verb, kind):
                active.writes += verb not in READS
                if fault.call is None or (verb not in READS and active.writes == fault.call):
                    found = fault.trouble
        return found

    def _about(self, stream: Stream) -> Iterator[When]:
        for active in self._active:
            if active.when.route in (None, stream.name):
                yield active.when


def _meets(fault: ApiFault, verb: str, kind: str) -> bool:
    return (not fault.verbs or verb in fault.verbs) and (not fault.kinds or kind in fault.kinds)


def _troubled(branch: Branch, when: When, rate: float) -> Branch:
    match when.fault:
        case Errors(share=share, code=code) if branch.endpoint is not None:
            return replace(branch, failing=share, failure=code)
        case Slowness(add=add, factor=factor):
            latency = branch.latency
            slower = replace(latency, median=latency.median * factor, add=latency.add * factor + add)
            return replace(branch, latency=slower)
        case TrafficChange(rate=wanted, factor=factor) if when.subset is not None:
            usual = rate * branch.share
            kept = factor if wanted is None else wanted / usual if usual else 0.0
            return replace(branch, kept=min(max(kept, 0.0), 1.0))
    return branch


NO_ANSWER = {
    ApiTrouble.ERROR: "Internal error occurred: etcdserver: request timed out (500)",
    ApiTrouble.TIMEOUT: "the API server was asked, and did not answer in time",
}
NOT_YET = {
    ApiTrouble.UNAVAILABLE: "the API server cannot be reached: connection refused",
    ApiTrouble.BUSY: "too many requests, please try again later (429)",
}
NEVER = {
    ApiTrouble.FORBIDDEN: (
        "forbidden: this user must not do that (403)",
        "`kubectl auth can-i` checks permissions",
    ),
    ApiTrouble.UNAUTHORIZED: ("the API server does not accept these credentials (401)", "log in again"),
}
OUTDATED = "the object has been modified; please apply your changes to the latest version and try again"


def refusal(trouble: ApiTrouble, deed: str, *, writes: bool) -> RunnerError | None:
    """What *trouble* answers to *deed*; None where the call goes through first."""
    if trouble in NEVER:
        reason, hint = NEVER[trouble]
        return RunnerError(f"cannot {deed}: {reason}", hint=hint)
    if trouble in NOT_YET:
        return TransientError(f"cannot {deed}: {NOT_YET[trouble]}")
    if trouble in NO_ANSWER and writes:
        return UnknownOutcomeError(f"nobody knows whether it happened: {deed}: {NO_ANSWER[trouble]}")
    if trouble in NO_ANSWER:
        return TransientError(f"cannot {deed}: {NO_ANSWER[trouble]}")
    return ConflictError(f"cannot {deed}: {OUTDATED}") if trouble is ApiTrouble.CONFLICT and writes else None


def lost(deed: str) -> UnknownOutcomeError:
    """The answer to a write that happened and was never heard of."""
    return UnknownOutcomeError(
        f"nobody knows whether it happened: {deed}: the connection broke before the API server answered"
    )
