"""A bad v3 on real parts: rejected, and everybody back on v1, in the proxies too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig import play, traffic
from rig.cluster import Bookinfo, until
from rig.figures import Figures
from rig.play import Play, named, split
from rig.telemetry import SCRAPE_SECONDS

INTERVAL = 1  # seconds between two looks of the guard in watched.yaml
SAFE = {"v1": 100}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way for v3 to be bad, and the words by which the run must name it."""

    name: str
    begin: Callable[[Bookinfo], None]
    named_by: str


TROUBLES = (
    Trouble("every answer an error", lambda bookinfo: bookinfo.spoil("v3", errors="1"), "errors"),
    Trouble("answers 0.8 s late", lambda bookinfo: bookinfo.spoil("v3", latency="0.8"), "slowness"),
    Trouble("crashing", lambda bookinfo: bookinfo.spoil("v3", crash="true"), ""),
    Trouble("gone", lambda bookinfo: bookinfo.remove("v3"), ""),
)


@pytest.mark.rig_only
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda it: it.name)
def test_trouble_in_a_soak_returns_all_traffic_to_stable(
    trouble: Trouble, installed: Bookinfo, tmp_path: Path, figures: Figures
) -> None:
    with traffic.Load(installed.reviews_url, rps=100) as load:
        run = _watched(installed, tmp_path, "--var", "soak=8s")
        run.wait_for(named("stage.started", stage="soak"))
        time.sleep(3)
        begun = time.time()
        trouble.begin(installed)
        run.wait_for(split(SAFE))
        restored = time.time()
        assert run.finish() == 3, run.said()
        until(lambda: installed.envoy_weights() == SAFE, 5, "the proxy is back on v1")
        harmed = traffic.failed(load.counts(since=begun))
    _is_rejected(run, installed)
    assert trouble.named_by in run.all(named("rollback.started"))[0]["reason"]
    figures.add(
        "Time from trouble to restored weights",
        v3_is=trouble.name,
        until_restored=f"{restored - begun:.1f} s",
        requests_failed=str(harmed),
    )


@pytest.mark.quick
@pytest.mark.rig_only
def test_total_failure_is_rolled_back_within_two_scrapes_and_one_look(
    installed: Bookinfo, tmp_path: Path, figures: Figures
) -> None:
    """With a guard over two scrapes that tolerates nothing: 2 scrapes + 1 interval + 1 s from the first bad answer."""
    with traffic.Load(installed.reviews_url, rps=100):
        run = _watched(installed, tmp_path)
        run.wait_for(named("stage.started", stage="soak"))
        time.sleep(5)
        installed.spoil("v3", errors="1")
        spoilt = time.time()
        until(lambda: installed.weights() == SAFE, 20, "the safe split is back")
        took = time.time() - spoilt
        assert run.finish() == 3, run.said()
    _is_rejected(run, installed)
    allowed = 2 * SCRAPE_SECONDS + INTERVAL + 1
    figures.add(
        "Every canary request fails: time to restored weights",
        took=f"{took:.1f} s",
        allowed=f"{allowed} s (2 scrapes + 1 look + 1 s)",
    )
    assert took <= allowed


def test_canary_without_pods_gets_no_traffic(installed: Bookinfo, tmp_path: Path) -> None:
    """v3 is absent from the start: the shift waits for an endpoint, gives up, and nobody was ever sent there."""
    installed.remove("v3")
    with traffic.Load(installed.reviews_url, rps=20) as load:
        run = _watched(installed, tmp_path)
        assert run.finish() == 3, run.said()
        assert traffic.failed(load.counts()) == 0
    assert run.all(split({"v1": 50, "v3": 50})) == []
    _is_rejected(run, installed)


def test_own_canary_with_errors_is_rejected(bookinfo: Bookinfo, tmp_path: Path) -> None:
    """The project's own playbook and guards, with v3 bad from its first traffic on."""
    if not bookinfo.cluster.rig:
        pytest.skip("this turns knobs that only a rig of ours has")
    run = play.canary(bookinfo, tmp_path)
    run.wait_for(named("stage.started", stage="shift 80/20"))
    bookinfo.spoil("v3", errors="1")
    with traffic.Load(bookinfo.reviews_url, rps=40):
        assert run.finish() == 3, run.said()
    _is_rejected(run, bookinfo)


def _watched(bookinfo: Bookinfo, folder: Path, *words: str) -> Play:
    return play.of(bookinfo, folder, "watched.yaml", *words)


def _is_rejected(run: Play, bookinfo: Bookinfo) -> None:
    finished = run.events[-1]
    assert (finished["event"], finished["outcome"]) == ("run.finished", "rejected")
    assert run.all(named("rollback.finished"))[-1]["verified"] is True
    assert play.without_zeros(finished["splits"]["reviews"]) == SAFE
    assert bookinfo.weights() == SAFE
