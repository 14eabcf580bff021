"""A stream of requests that falls on the branches of a mesh, drawn stretch by stretch.

Requests arrive evenly; which branch each takes and whether it fails is chance. A stretch of time is cut by
scrapes and by changes of the mesh, never by questions, and each has dice of its own: so the same effects at
the same times give the same requests, however often somebody looks.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.model.scenario import LATENCY
from runner.sandbox.chance import binomial, dice, multinomial

SERVER_ERRORS = range(500, 600)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A ready pod behind a Service; *workload* is its Deployment."""

    pod: str
    namespace: str
    workload: str
    address: str
    labels: tuple[tuple[str, str], ...]

    def label(self, *names: str) -> str:
        """The value of the first of *names* that the pod carries, or nothing."""
        labels = dict(self.labels)
        return next((labels[name] for name in names if name in labels), "")


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers take: log-normal around *median*, and *add* on top, in milliseconds."""

    median: float = LATENCY
    add: float = 0.0


@dataclass(frozen=True, slots=True)
class Branch:
    """One way that requests can go, with the *share* of them that does.

    *host* is the Service's full name. Without *endpoint* the proxy answers *code* itself and says why in
    *flags*. An endpoint answers *failure* to the part *failing*. *kept* is the part of the requests that come
    at all.
    """

    share: float
    host: str
    subset: str
    endpoint: Endpoint | None = None
    code: int = 200
    flags: str = "-"
    failing: float = 0.0
    failure: int = 500
    latency: Latency = Latency()
    kept: float = 1.0


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests a second, and where they go."""

    rate: float
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """*count* requests that went the same way and were answered the same *code*."""

    stream: str
    branch: Branch
    code: int
    count: int

    @property
    def failed(self) -> bool:
        """Whether the server's side is to blame."""
        return self.code in SERVER_ERRORS


@dataclass(frozen=True, slots=True)
class Stretch:
    """All requests of one stream from *start* to *end*, in milliseconds; *end* is not included."""

    stream: str
    start: int
    end: int
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class _Bed:
    """Where one stream has flowed: times of change, the flow from then on, requests that had come by then."""

    times: list[int] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)

    def by(self, at: int) -> int:
        """How many requests have come before *at*."""
        index = bisect_right(self.times, at) - 1
        if index < 0:
            return 0
        since = (at - self.times[index]) / 1000
        return math.floor(self.arrived[index] + self.flows[index].rate * since + 1e-6)


class Ledger:
    """Every stretch of every stream since *origin*, cut at *origin* + k * *interval*, all in milliseconds."""

    def __init__(self, seed: int, origin: int, interval: int) -> None:
        self._seed = seed
        self._beds: dict[str, _Bed] = {}
        self._settled = origin
        self._cuts: list[int] = []
        self.origin = origin
        self.interval = interval
        self.stretches: list[Stretch] = []

    def change(self, stream: str, at: int, flow: Flow) -> None:
        """From *at* on *stream* goes as *flow*; changes come in the order of time."""
        bed = self._beds.setdefault(stream, _Bed())
        if bed.flows and bed.flows[-1] == flow:
            return
        arrived = bed.arrived[-1] + bed.flows[-1].rate * (at - bed.times[-1]) / 1000 if bed.flows else 0.0
        if bed.times and bed.times[-1] == at:
            bed.flows[-1] = flow
            return
        bed.times.append(at)
        bed.flows.append(flow)
        bed.arrived.append(arrived)

    def cut(self, at: int) -> None:
        """Let no stretch reach over *at*."""
        self._cuts.append(at)

    def settle(self, until: int) -> None:
        """Draw every whole interval that has ended by *until*."""
        while self._settled + self.interval <= until:
            end = self._settled + self.interval
            self.stretches.extend(self._drawn(self._settled, end))
            self._settled = end

    def begun(self, until: int) -> tuple[Stretch, ...]:
        """The requests since the last whole interval, as if it ended at *until*; nothing is kept of it."""
        self.settle(until)
        return tuple(self._drawn(self._settled, until))

    def _drawn(self, start: int, end: int) -> Iterator[Stretch]:
        for stream in sorted(self._beds):
            bed = self._beds[stream]
            changes = bed.times[bisect_right(bed.times, start) : bisect_left(bed.times, end)]
            cuts = sorted({*changes, *(cut for cut in self._cuts if start < cut < end)})
            for begin, stop in zip([start, *cuts], [*cuts, end], strict=True):
                count = bed.by(stop) - bed.by(begin)
                if count > 0:
                    flow = bed.flows[bisect_right(bed.times, begin) - 1]
                    yield Stretch(stream, begin, stop, tuple(self._cells(stream, begin, flow, count)))

    def _cells(self, stream: str, start: int, flow: Flow, count: int) -> Iterator[Cell]:
        random = dice(self._seed, "requests", stream, start)
        taken = multinomial(random, count, [branch.share for branch in flow.branches])
        for branch, came in zip(flow.branches, taken, strict=True):
            kept = binomial(random, came, branch.kept)
            failed = binomial(random, kept, branch.failing)
            if failed:
                yield Cell(stream, branch, branch.failure, failed)
            if kept > failed:
                yield Cell(stream, branch, branch.code, kept - failed)


@dataclass(frozen=True, slots=True)
class Count:
    """Requests, and how many of them were answered 5xx."""

    requests: int = 0
    failed: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.requests + other.requests, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Tally:
    """What users have seen: counts by route and subset, subset "" where no version answered.

    *since_canary* counts by route from the canary's first request on.
    """

    routes: Mapping[str, Mapping[str, Count]]
    since_canary: Mapping[str, Count]

    @property
    def total(self) -> Count:
        """All routes and subsets together."""
        return sum((count for subsets in self.routes.values() for count in subsets.values()), Count())


def tallied(stretches: Iterator[Stretch], canaries: Mapping[str, str]) -> Tally:
    """The tally of *stretches*, in the order of time; *canaries* names each stream's canary subset."""
    routes: dict[str, dict[str, Count]] = {}
    since: dict[str, Count] = {}
    for stretch in stretches:
        subsets = routes.setdefault(stretch.stream, {})
        canary = canaries.get(stretch.stream)
        if stretch.stream not in since and any(cell.branch.subset == canary for cell in stretch.cells):
            since.setdefault(stretch.stream, Count())
        for cell in stretch.cells:
            count = Count(cell.count, cell.count if cell.failed else 0)
            subset = cell.branch.subset
            subsets[subset] = subsets.get(subset, Count()) + count
            if stretch.stream in since:
                since[stretch.stream] += count
    return Tally(routes, since)
