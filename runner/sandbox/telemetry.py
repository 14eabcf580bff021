"""Requests as metrics: Istio's, seen by both proxies, and those that services publish themselves.

Sources: Istio's standard metrics page (names and labels), Envoy's histogram buckets as Istio publishes them,
and the scrape configuration of Istio's Prometheus addon (job, instance, namespace, pod, app, version).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from runner.model.scenario import Counts, SeriesRule
from runner.promql import STALE, MemorySeries, MemoryStorage
from runner.sandbox.chance import dice, multinomial
from runner.sandbox.hosts import service_of
from runner.sandbox.setup import Stream
from runner.sandbox.traffic import Cell, Endpoint, Latency, Stretch

REQUESTS = "istio_requests_total"
DURATION = "istio_request_duration_milliseconds"
ISTIO_BUCKETS = (
    *(0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 30000.0),
    *(60000.0, 300000.0, 600000.0, 1800000.0, 3600000.0),
)
SPREAD = 0.4  # standard deviation of the logarithm of a latency
CLASSES = {1: "INFORMATIONAL", 2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR", 5: "SERVER_ERROR"}
"""Micrometer's names for classes of answers, the `outcome` label of Spring Boot."""


class Alive(Protocol):
    """Whether the target `namespace/pod` is there to be scraped."""

    def __call__(self, target: str, /) -> bool: ...


class Family(Protocol):
    """Metrics that are made together."""

    names: frozenset[str]

    def add(self, stretch: Stretch) -> None:
        """Count what happened; stretches come in the order of time."""

    def scrape(self, at: int, alive: Alive) -> None:
        """Write a sample of every series at *at* milliseconds, and end those whose target is gone."""

    def forget(self, before: int) -> None:
        """Drop what was scraped before *before*; the counters themselves go on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How one observer labels a cell, and the target at which it is scraped."""

    target: str
    labels: tuple[tuple[str, str], ...]


class Labelling(Protocol):
    """Who sees a cell, and under which labels."""

    def __call__(self, cell: Cell, /) -> Iterator[Seen]: ...


@dataclass(slots=True)
class _Counter:
    target: str
    series: MemorySeries
    value: float = 0.0


class Counter:
    """A metric that counts requests, one series for each way in which somebody sees them."""

    def __init__(
        self, name: str, storage: MemoryStorage, label: Labelling, *, failures: bool = False
    ) -> None:
        self.names = frozenset({name})
        self._name = name
        self._storage = storage
        self._label = label
        self._failures = failures
        self._ways: dict[object, tuple[_Counter, ...]] = {}
        self._counters: dict[Seen, _Counter] = {}
        self._made: list[MemorySeries] = []

    def add(self, stretch: Stretch) -> None:
        for cell in stretch.cells:
            count = cell.count if cell.failed or not self._failures else 0
            for counter in self._way(cell):
                counter.value += count

    def scrape(self, at: int, alive: Alive) -> None:
        for seen, counter in list(self._counters.items()):
            if alive(counter.target):
                counter.series.append(at, counter.value)
            else:
                counter.series.append(at, STALE)
                del self._counters[seen]

    def forget(self, before: int) -> None:
        for series in self._made:
            series.forget(before)

    def _way(self, cell: Cell) -> tuple[_Counter, ...]:
        way = way_of(cell)
        found = self._ways.get(way)
        if found is None:
            found = self._ways[way] = tuple(self._counter(seen) for seen in self._label(cell))
        return found

    def _counter(self, seen: Seen) -> _Counter:
        if seen not in self._counters:
            series = self._storage.series({"__name__": self._name, **dict(seen.labels)})
            self._made.append(series)
            self._counters[seen] = _Counter(seen.target, series)
        return self._counters[seen]


@dataclass(slots=True)
class _Histogram:
    target: str
    buckets: tuple[MemorySeries, ...]
    sum: MemorySeries
    count: MemorySeries
    counts: list[int] = field(default_factory=list)
    total: float = 0.0


class Histogram:
    """How long requests took: `_bucket`, `_sum` and `_count`. *unit* is milliseconds in one of its units."""

    def __init__(
        self,
        name: str,
        storage: MemoryStorage,
        label: Labelling,
        *,
        seed: int,
        bounds: Sequence[float],
        unit: float = 1.0,
    ) -> None:
        self.names = frozenset(f"{name}_{part}" for part in ("bucket", "sum", "count"))
        self._name = name
        self._storage = storage
        self._label = label
        self._seed = seed
        self._bounds = tuple(bounds)
        self._unit = unit
        self._ways: dict[object, tuple[_Histogram, ...]] = {}
        self._histograms: dict[Seen, _Histogram] = {}
        self._made: list[MemorySeries] = []

    def add(self, stretch: Stretch) -> None:
        random = dice(self._seed, "latency", self._name, stretch.stream, stretch.start)
        for cell in stretch.cells:
            latency = cell.branch.latency if cell.branch.endpoint else Latency(median=1.0)
            counts = multinomial(random, cell.count, _shares(latency, self._bounds, self._unit))
            mean = latency.add + latency.median * math.exp(SPREAD**2 / 2)
            wobble = random.gauss(0.0, SPREAD * latency.median) / math.sqrt(cell.count)
            total = cell.count * max(mean + wobble, 0.0) / self._unit
            for histogram in self._way(cell):
                histogram.counts = [a + b for a, b in zip(histogram.counts, counts, strict=True)]
                histogram.total += total

    def scrape(self, at: int, alive: Alive) -> None:
        for seen, histogram in list(self._histograms.items()):
            if alive(histogram.target):
                cumulative = 0
                for series, count in zip(histogram.buckets, histogram.counts, strict=True):
                    cumulative += count
                    series.append(at, cumulative)
                histogram.sum.append(at, histogram.total)
                histogram.count.append(at, cumulative)
                continue
            for series in (*histogram.buckets, histogram.sum, histogram.count):
                series.append(at, STALE)
            del self._histograms[seen]

    def forget(self, before: int) -> None:
        for series in self._made:
            series.forget(before)

    def _way(self, cell: Cell) -> tuple[_Histogram, ...]:
        way = way_of(cell)
        found = self._ways.get(way)
        if found is None:
            found = self._ways[way] = tuple(self._histogram(seen) for seen in self._label(cell))
        return found

    def _histogram(self, seen: Seen) -> _Histogram:
        if seen not in self._histograms:
            edges = [*(_bound(edge) for edge in self._bounds), "+Inf"]
            self._histograms[seen] = _Histogram(
                seen.target,
                tuple(self._series("bucket", seen, {"le": edge}) for edge in edges),
                self._series("sum", seen, {}),
                self._series("count", seen, {}),
                [0] * len(edges),
            )
        return self._histograms[seen]

    def _series(self, part: str, seen: Seen, more: Mapping[str, str]) -> MemorySeries:
        series = self._storage.series({"__name__": f"{self._name}_{part}", **dict(seen.labels), **more})
        self._made.append(series)
        return series


def istio_families(seed: int, storage: MemoryStorage, streams: Mapping[str, Stream]) -> tuple[Family, ...]:
    """Istio's own metrics of every stream."""
    label = _IstioLabels(streams)
    return (
        Counter(REQUESTS, storage, label),
        Histogram(DURATION, storage, label, seed=seed, bounds=ISTIO_BUCKETS),
    )


def own_family(seed: int, storage: MemoryStorage, streams: Mapping[str, Stream], rule: SeriesRule) -> Family:
    """The metric that services publish by *rule*."""
    label = _OwnLabels(streams, rule)
    match rule.counts:
        case Counts.REQUESTS:
            return Counter(rule.metric, storage, label)
        case Counts.FAILURES:
            return Counter(rule.metric, storage, label, failures=True)
        case Counts.DURATION:
            unit = 1.0 if rule.milliseconds else 1000.0
            return Histogram(rule.metric, storage, label, seed=seed, bounds=rule.buckets, unit=unit)


class _IstioLabels:
    """The labels of both proxies' reports; what no endpoint answered only the caller's proxy reports."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._streams = streams

    def __call__(self, cell: Cell) -> Iterator[Seen]:
        source = self._streams[cell.stream].load.source
        labels = _source(source) | _destination(cell) | _request(cell)
        caller = f"istio-system/{source}"
        at_caller = {"job": "kubernetes-pods", "instance": "10.244.0.10:15020", "namespace": "istio-system"}
        at_caller |= {"pod": source, "app": source}
        source_side = {"reporter": "source", "connection_security_policy": "unknown"}
        yield Seen(caller, _pairs(labels | at_caller | source_side))
        pod = cell.branch.endpoint
        if pod is not None:
            server_side = {"reporter": "destination", "connection_security_policy": "mutual_tls"}
            yield Seen(f"{pod.namespace}/{pod.pod}", _pairs(labels | _scraped(pod, "15020") | server_side))


class _OwnLabels:
    """The labels that a rule gives to what a pod publishes itself."""

    def __init__(self, streams: Mapping[str, Stream], rule: SeriesRule) -> None:
        self._streams = streams
        self._rule = rule

    def __call__(self, cell: Cell) -> Iterator[Seen]:
        pod = cell.branch.endpoint
        if pod is None or self._rule.route not in (None, cell.stream):
            return
        own = {
            name: _filled(value, cell, pod, self._streams[cell.stream]) for name, value in self._rule.labels
        }
        usual = {"job": "kubernetes-pods", "namespace": pod.namespace}
        target = {"instance": f"{pod.address}:8080", "pod": pod.pod}  # whatever a rule says, pods stay apart
        yield Seen(f"{pod.namespace}/{pod.pod}", _pairs(usual | own | target))


def _filled(template: str, cell: Cell, pod: Endpoint, stream: Stream) -> str:
    subset = cell.branch.subset
    values = {
        "subset": subset,
        "version": dict(stream.labels).get(subset)
        or pod.label("version", "app.kubernetes.io/version")
        or subset,
        "class": CLASSES.get(cell.code // 100, "UNKNOWN"),
        "code": str(cell.code),
        "app": pod.label("app", "app.kubernetes.io/name"),
        "workload": pod.workload,
        "pod": pod.pod,
        "namespace": pod.namespace,
        "route": cell.stream,
    }
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


def way_of(cell: Cell) -> object:
    """What tells cells of different series apart; shares, errors and latencies change, this stays."""
    branch = cell.branch
    return cell.stream, branch.host, branch.subset, branch.endpoint, branch.flags, cell.code


def _source(workload: str) -> dict[str, str]:
    return {
        "source_workload": workload,
        "source_workload_namespace": "istio-system",
        "source_app": workload,
        "source_version": "unknown",
        "source_cluster": "Kubernetes",
        "source_canonical_service": workload,
        "source_canonical_revision": "latest",
        "source_principal": f"spiffe://cluster.local/ns/istio-system/sa/{workload}",
    }


def _destination(cell: Cell) -> dict[str, str]:
    pod, host = cell.branch.endpoint, cell.branch.host
    namespace, service = service_of(host) or ("unknown", host)
    unknown = "unknown"
    return {
        "destination_service": host,
        "destination_service_name": service,
        "destination_service_namespace": namespace,
        "destination_cluster": "Kubernetes" if pod else unknown,
        "destination_workload": pod.workload if pod else unknown,
        "destination_workload_namespace": pod.namespace if pod else unknown,
        "destination_app": _named(pod, unknown, "app", "app.kubernetes.io/name"),
        "destination_version": _named(pod, unknown, "version", "app.kubernetes.io/version"),
        "destination_canonical_service": _named(
            pod,
            pod.workload if pod else unknown,
            "service.istio.io/canonical-name",
            "app.kubernetes.io/name",
            "app",
        ),
        "destination_canonical_revision": _named(
            pod, "latest", "service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"
        ),
        "destination_principal": f"spiffe://cluster.local/ns/{pod.namespace}/sa/default" if pod else unknown,
    }


def _named(pod: Endpoint | None, otherwise: str, *labels: str) -> str:
    return (pod.label(*labels) if pod else "") or otherwise


def _request(cell: Cell) -> dict[str, str]:
    return {
        "request_protocol": "http",
        "response_code": str(cell.code),
        "response_flags": cell.branch.flags,
    }


def _scraped(pod: Endpoint, port: str) -> dict[str, str]:
    return {
        "job": "kubernetes-pods",
        "instance": f"{pod.address}:{port}",
        "namespace": pod.namespace,
        "pod": pod.pod,
        "app": pod.label("app"),
        "version": pod.label("version"),
    }


def _pairs(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _bound(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(int(value))


@cache
def _shares(latency: Latency, bounds: tuple[float, ...], unit: float) -> tuple[float, ...]:
    """The part of the answers that falls into each bucket, the one beyond the last bound included."""
    below = [_below(bound * unit, latency) for bound in bounds]
    return tuple(high - low for low, high in zip([0.0, *below], [*below, 1.0], strict=True))


def _below(milliseconds: float, latency: Latency) -> float:
    """The distribution function of a shifted log-normal."""
    over = milliseconds - latency.add
    if over <= 0.0:
        return 0.0
    if latency.median <= 0.0:
        return 1.0
    return 0.5 * (1.0 + math.erf(math.log(over / latency.median) / (SPREAD * math.sqrt(2.0))))
