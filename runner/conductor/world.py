"""Everything outside that a run touches, as ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.ports import Clock, Cluster, Journal, Lease, Listener, Metrics, Orders


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that a run touches."""

    cluster: Cluster
    metrics: Metrics
    clock: Clock
    journal: Journal
    orders: Orders
    lease: Lease
    listeners: Sequence[Listener] = ()
