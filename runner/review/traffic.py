"""How many requests a second a route has now, as its mesh's Prometheus counted them."""

from math import isfinite

from runner.model.evidence import NoAnswer
from runner.model.playbook import Route
from runner.model.stages import KubeObject
from runner.ports import Metrics
from runner.routers import istio

WINDOW = "5m"


def host_rate(host: str) -> str:
    """PromQL for the requests a second of *host*.

    Both ends of a request count it, told apart by `reporter`; the end that saw more saw all.
    Source: istio.io, Istio Standard Metrics (`istio_requests_total`; labels `destination_service`, `reporter`).
    """
    return f'max(sum by (reporter) (rate(istio_requests_total{{destination_service="{host}"}}[{WINDOW}])))'


def live_rate(metrics: Metrics, at: float, route: Route, found: KubeObject | None) -> float | str:
    """Requests a second of the host that *route* weighs in its VirtualService *found*, else why nobody knows."""
    if found is None:
        return "its VirtualService does not exist yet"
    answer = metrics.query(host_rate(istio.host_of(found, route)), at)
    if isinstance(answer, NoAnswer):
        return answer.reason
    if len(answer.samples) != 1 or not isfinite(answer.samples[0].value):
        return "Prometheus has no requests of it"
    return answer.samples[0].value
