"""The rig itself: what it promises to the tests that stand on it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rig import control, places, traffic
from rig.cluster import Bookinfo, until
from rig.figures import Figures

ARTICLE_QUERY = (
    'sum(irate(istio_requests_total{destination_app="reviews",namespace="%s"}[1m]))'
    " by (destination_canonical_revision,destination_app)"
)


@pytest.mark.quick
def test_weights_reach_the_proxy_and_the_articles_query(installed: Bookinfo, figures: Figures) -> None:
    with traffic.Load(installed.reviews_url, rps=50):
        time.sleep(2)
        begun = time.monotonic()
        installed.shift(v1=80, v3=20)
        written = time.monotonic() - begun
        until(lambda: installed.envoy_weights() == {"v1": 80, "v3": 20}, 5, "Envoy has the new weights")
        programmed = time.monotonic() - begun
        until(lambda: _near(_served(installed), {"v1": 80, "v3": 20}, 12), 20, "the article's query follows")
        answered = time.monotonic() - begun
    figures.add(
        "Lag of one weight change",
        written_by_kubectl=f"{written * 1000:.0f} ms",
        in_Envoy_after=f"{programmed * 1000:.0f} ms",
        query_within_12_points_after=f"{answered:.1f} s",
    )


@pytest.mark.rig_only
def test_knobs_of_a_pod_show_at_the_client(installed: Bookinfo) -> None:
    installed.spoil("v1", errors="1")
    until(
        lambda: traffic.failed(traffic.burst(installed.reviews_url, 20)) == 20, 5, "every answer is an error"
    )
    installed.spoil("v1", errors=None, latency="0.4")
    until(lambda: traffic.failed(traffic.burst(installed.reviews_url, 20)) == 0, 5, "no answer is an error")
    begun = time.monotonic()
    traffic.burst(installed.reviews_url, 1, connections=1)
    assert time.monotonic() - begun >= 0.4


@pytest.mark.rig_only
def test_crashed_pod_is_neither_ready_nor_asked(installed: Bookinfo) -> None:
    installed.spoil("v1", crash="true")
    until(
        lambda: "CrashLoopBackOff" in installed.kubectl("get", "pods"), 10, "the pod crashes again and again"
    )
    until(
        lambda: set(traffic.burst(installed.reviews_url, 20)) == {"503 -"}, 5, "no healthy upstream is left"
    )
    query = f'sum by (response_flags) (istio_requests_total{{namespace="{installed.namespace}",response_code="503"}})'
    until(lambda: ("UH",) in installed.cluster.query(query), 15, "the caller's proxy says why")


@pytest.mark.rig_only
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda it: it.name)
def test_rig_leaves_nothing_behind_however_its_owner_ends(how: signal.Signals, tmp_path: Path) -> None:
    name = f"short-{how.name.lower()}"
    command = [sys.executable, str(places.SOURCES), "run", "--only", "controlplane", "--name", name, "--"]
    mark = tmp_path / "up"
    owner = subprocess.Popen([*command, "sh", "-c", f"touch {mark}; exec sleep 60"], start_new_session=True)
    until(mark.exists, 30, "the rig is up")
    rig = control.find(name)
    assert rig is not None
    owner.send_signal(how)
    owner.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(owner.pid, signal.SIGKILL)  # the command itself is nobody's but ours
    until(lambda: not Path(f"/proc/{rig.pid}").exists(), 10, "its first process is gone, and so all others")
    until(lambda: not rig.run.exists(), 10, "its folder is gone")


def _served(bookinfo: Bookinfo) -> dict[str, float]:
    rates = bookinfo.cluster.query(ARTICLE_QUERY % bookinfo.namespace)
    total = sum(rates.values())
    return {revision: 100 * rate / total for (_, revision), rate in rates.items() if rate} if total else {}


def _near(found: dict[str, float], wanted: dict[str, int], points: float) -> bool:
    return all(abs(found.get(version, 0) - wanted.get(version, 0)) <= points for version in {*found, *wanted})
