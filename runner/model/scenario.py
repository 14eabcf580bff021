"""The world that a release is rehearsed in, what goes wrong in it, and what is expected to follow.

Durations are seconds, rates are requests a second, latencies are milliseconds, shares are fractions of 1.
"""

from dataclasses import dataclass
from enum import StrEnum

from runner.model.split import Split
from runner.model.stages import KubeObject, Manifest

TRAFFIC = 20.0  # requests a second that a route has when nothing is said
LATENCY = 40.0  # median answer in milliseconds when nothing is said
SCRAPE = 15.0  # seconds between scrapes, as in Istio's Prometheus addon
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; the defaults of Prometheus' client libraries."""


ISTIO_METRICS = (
    "istio_requests_total",
    *(f"istio_request_duration_milliseconds_{part}" for part in ("bucket", "sum", "count")),
)
"""What every world produces."""

LABEL_VALUES = ("subset", "version", "class", "code", "app", "workload", "pod", "namespace", "route")
"""What the label of a metric of one's own may hold, in braces."""


class Counts(StrEnum):
    """What a series of one's own is made from."""

    REQUESTS = "requests"
    FAILURES = "failures"
    DURATION = "duration"


class NotReadyBecause(StrEnum):
    """Why pods are not ready; each shows in the pod's status as Kubernetes shows it."""

    NEVER = "never"
    CRASH = "crash"
    IMAGE = "image"
    UNSCHEDULABLE = "unschedulable"


class ApiTrouble(StrEnum):
    """How the API server fails. `lost` performs the write and loses the answer."""

    UNAVAILABLE = "unavailable"
    ERROR = "500"
    BUSY = "429"
    TIMEOUT = "timeout"
    LOST = "lost"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"


class MetricsTrouble(StrEnum):
    """How Prometheus fails. `empty` loses what it had, `stopped` answers and no longer scrapes."""

    DOWN = "down"
    SLOW = "slow"
    EMPTY = "empty"
    PARTIAL = "partial"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Load:
    """The requests that reach one route; *path* and *headers* None: whatever its http route matches."""

    rate: float = TRAFFIC
    path: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    source: str = "istio-ingressgateway"


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """A metric that the services publish themselves, made from the same requests as Istio's.

    Label values may hold `LABEL_VALUES` in braces.
    *buckets* are upper bounds in the metric's own unit, seconds unless *milliseconds*.
    """

    metric: str
    counts: Counts
    labels: tuple[tuple[str, str], ...] = ()
    route: str | None = None
    milliseconds: bool = False
    buckets: tuple[float, ...] = SECONDS_BUCKETS


@dataclass(frozen=True, slots=True)
class Given:
    """The world before the run; *split*, *traffic* and *latency* go by route or, for traffic, by host."""

    files: tuple[Manifest, ...] = ()
    manager: str = "runner"
    split: tuple[tuple[str, Split], ...] = ()
    traffic: tuple[tuple[str, Load], ...] = ()
    latency: tuple[tuple[str, float], ...] = ()
    series: tuple[SeriesRule, ...] = ()
    scrape: float = SCRAPE


@dataclass(frozen=True, slots=True)
class Errors:
    """*share* of the answers are *code*."""

    share: float
    code: int = 500


@dataclass(frozen=True, slots=True)
class Slowness:
    """Answers take *factor* times as long, and *add* milliseconds."""

    add: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class TrafficChange:
    """Requests come at *rate* a second, or at *factor* times their usual rate."""

    rate: float | None = None
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class NotReady:
    """Pods are not ready: *because* of something, or only *delay* seconds later than they would be."""

    because: NotReadyBecause | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Gone:
    """The pods vanish, and no new ones find a place."""


@dataclass(frozen=True, slots=True)
class ApiFault:
    """The API server fails: always, or at the *call*-th write only (counted from when the fault begins).

    *verbs* of get, list, apply, create, replace, and *kinds* of objects narrow it; empty means all.
    """

    trouble: ApiTrouble
    call: int | None = None
    verbs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricsFault:
    """Prometheus fails."""

    trouble: MetricsTrouble


@dataclass(frozen=True, slots=True)
class SetWeights:
    """A person edits the weights of the route's VirtualService."""

    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MergeObject:
    """A person edits an object: *patch* is an RFC 7386 merge patch."""

    kind: str
    name: str
    patch: KubeObject


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """A person deletes an object."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class PutObjects:
    """A person applies files with kubectl."""

    files: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody beside the run changes an object, as *manager*."""

    change: SetWeights | MergeObject | DeleteObject | PutObjects
    manager: str = "kubectl-edit"


Fault = Errors | Slowness | TrafficChange | NotReady | Gone | ApiFault | MetricsFault | Edit

FAULT_KEYS = ("errors", "latency", "traffic", "ready", "gone", "api", "prometheus", "edit")
"""The key of each kind of fault in a document."""


@dataclass(frozen=True, slots=True)
class When:
    """One thing that goes wrong: *after* seconds after the start of *stage*, or of the run where it is None.

    It ends *lasting* seconds later, or never. *subset* is `canary`, `stable` or a name; None is all of the
    route's; *route* None is the playbook's only route, or all of them.
    """

    fault: Fault
    stage: str | None = None
    after: float = 0.0
    lasting: float | None = None
    route: str | None = None
    subset: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must have happened when the run has ended; None is not looked at.

    *outcome* is one of a run's, or `paused` for a person, or `stopped` by what is no verdict. *fired_by* are the
    checks whose failed verdict or missing evidence ended it. Within *within* seconds of the first fault the
    traffic must be at *splits*.
    """

    outcome: str | None = None
    exit_code: int | None = None
    splits: tuple[tuple[str, Split], ...] = ()
    fired_by: tuple[str, ...] | None = None
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world before the run, what goes wrong in it, and what is expected."""

    name: str
    description: str = ""
    given: Given = Given()
    when: tuple[When, ...] = ()
    expect: Expectation | None = None
