"""Orders to a run whose journal lies in the cluster: one more ConfigMap, which the playing process reads."""

from collections.abc import Sequence

from runner.engine.observations import Order
from runner.errors import ConflictError, RunnerError, UnknownOutcomeError
from runner.journal.orders import line_of, order_of
from runner.journal.parts import ConfigMapName
from runner.model.stages import KubeObject
from runner.ports import Clock, Cluster, ObjectRef

KEY = "orders.jsonl"
EVERY = 5.0  # seconds between two questions to the API server
SELDOM = 30.0  # and after one that had no answer
TRIES = 5


def orders_ref(place: ConfigMapName) -> ObjectRef:
    """Where orders to the run of *place* are left."""
    return ObjectRef("v1", "ConfigMap", place.namespace, f"{place.name}-orders")


def give_order_to(cluster: Cluster, place: ConfigMapName, order: Order) -> None:
    """Leave *order* for the process that plays *place*. ConflictError where others keep writing."""
    line = line_of(order)
    for left in reversed(range(TRIES)):
        found = cluster.get(orders_ref(place))
        try:
            if found is None:
                cluster.create(_orders(place, line))
            else:
                cluster.replace({**found, "data": {KEY: _text(found) + line}})
        except ConflictError:
            if not left:
                raise
        except UnknownOutcomeError:
            if _text(cluster.get(orders_ref(place))).endswith(line):
                return
            if not left:
                raise
        else:
            return


def _orders(place: ConfigMapName, text: str) -> KubeObject:
    ref = orders_ref(place)
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: text}}


def _text(found: KubeObject | None) -> str:
    return str(((found or {}).get("data") or {}).get(KEY, ""))


class ClusterOrders:
    """Reads orders that come after it was opened; a cluster that does not answer has none.

    What is there when it first answers was meant for an earlier process.
    """

    def __init__(self, cluster: Cluster, clock: Clock, place: ConfigMapName) -> None:
        self._cluster, self._clock, self._place = cluster, clock, place
        self._due = clock.now()
        lines = self._read()
        self._seen = None if lines is None else len(lines)

    def poll(self) -> Sequence[Order]:
        """Whole lines that have not been seen; what is no order is passed over."""
        if self._clock.now() < self._due or (lines := self._read()) is None:
            return ()
        fresh = [] if self._seen is None else lines[self._seen :]
        self._seen = len(lines)  # fewer where somebody took the ConfigMap away: what comes next is new
        return tuple(order for line in fresh if (order := order_of(line)) is not None)

    def _read(self) -> list[str] | None:
        """Every line that was left; None while the cluster does not answer, which is asked less often then."""
        try:
            lines = _text(self._cluster.get(orders_ref(self._place))).splitlines()
        except RunnerError:
            self._due = self._clock.now() + SELDOM
            return None
        self._due = self._clock.now() + EVERY
        return lines
