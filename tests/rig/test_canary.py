"""The canary on real parts: from v1 to v3, every split really served, nobody's request lost by a shift."""

from __future__ import annotations

import collections
import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from rig import play, traffic
from rig.cluster import Bookinfo, Object, until
from rig.figures import Figures
from rig.play import Event, Play, named, split

STEADY = 400  # irate looks at the last second alone: at 50 % this many answers are 4 standard deviations within 10 points
REQUESTS = 10_000
POINTS = 2.0  # four standard deviations of 10,000 independent choices at 50 %
PROPAGATION = 0.5  # seconds from the API server's answer to the last proxy; measured at 0.04
SPLITS = ({"v1": 80, "v3": 20}, {"v1": 50, "v3": 50}, {"v1": 0, "v3": 100})
OF_A_SHIFT = "NR|NC|UH"  # no route, no cluster, no healthy upstream


@pytest.mark.quick
def test_canary_is_promoted_and_every_split_is_served(
    bookinfo: Bookinfo, tmp_path: Path, figures: Figures
) -> None:
    run = play.canary(bookinfo, tmp_path, soak="24s")
    run.wait_for(split({"v1": 100}))
    until(bookinfo.serves, 10, "the gateway answers")
    with traffic.Load(bookinfo.reviews_url, rps=STEADY) as load:
        for wanted in SPLITS:
            _measure(run, bookinfo, wanted, figures)
        assert run.finish() == 0, run.said()
        steady = load.counts()
    finished = run.events[-1]
    assert (finished["event"], finished["outcome"]) == ("run.finished", "succeeded")
    assert play.without_zeros(finished["splits"]["reviews"]) == {"v3": 100}
    assert bookinfo.weights() == {"v3": 100}
    assert traffic.failed(steady) == 0, steady
    made = _made_by_proxies(bookinfo)
    assert made == {}
    figures.add(
        "Requests lost by shifts",
        steady_requests=str(steady.total()),
        not_answered_200=str(traffic.failed(steady)),
        NR_NC_UH=f"{sum(made.values()):.0f}",
    )
    if bookinfo.cluster.rig:
        _write_calls(run, bookinfo, figures)


def test_canary_played_twice_changes_nothing(installed: Bookinfo, tmp_path: Path) -> None:
    installed.shift(v3=100)
    before = installed.virtual_service()
    with traffic.Load(installed.reviews_url, rps=STEADY):
        run = play.canary(installed, tmp_path, soak="1s")
        assert run.finish() == 0, run.said()
    skipped = {event["stage"] for event in run.all(named("stage.skipped"))}
    assert {"shift 80/20", "shift 50/50", "shift 0/100", "promote"} <= skipped
    assert run.all(named("split.changed")) == []
    after = installed.virtual_service()
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_split_changes_the_one_route_and_one_annotation(installed: Bookinfo, tmp_path: Path) -> None:
    rich = _rich_virtual_service(installed)
    with traffic.Load(installed.reviews_url, rps=STEADY) as load:
        run = play.of(installed, tmp_path, "interrupted.yaml", "--until", "twenty")
        assert run.finish() == 0, run.said()
        time.sleep(2)
        assert traffic.failed(load.counts()) == 0
    changed = installed.virtual_service()
    assert _without_our_part(changed) == _without_our_part(rich)
    assert changed["metadata"]["annotations"].keys() - rich["metadata"]["annotations"].keys() == {
        "runner/run"
    }
    back = play.start(installed, tmp_path, "rollback", str(tmp_path / "run.jsonl"))
    assert back.finish() == 0, back.said()
    assert _without_our_part(installed.virtual_service()) == _without_our_part(rich)
    assert _that_has_traffic(installed.virtual_service()) == _that_has_traffic(rich)


def _measure(run: Play, bookinfo: Bookinfo, wanted: dict[str, int], figures: Figures) -> None:
    """Count 10,000 answers while this split is in force, and hold them to the weights."""
    changed = run.wait_for(split(wanted))
    time.sleep(max(0.0, _at(changed) + PROPAGATION - time.time()))
    begun = time.time()
    counts = traffic.burst(bookinfo.reviews_url, REQUESTS)
    ended = time.time()
    others = [event for event in run.all(named("split.changed")) if begun <= _at(event) <= ended]
    assert not others, "the burst must lie within one split; give it a longer soak"
    shares = traffic.by_version(counts)
    error = max(abs(shares.get(version, 0) - weight) for version, weight in wanted.items())
    assert traffic.failed(counts) == 0, counts
    assert counts.total() == REQUESTS
    assert error <= POINTS, (shares, wanted)
    figures.add(
        "Weights asked and served, of 10,000 requests each",
        asked=" / ".join(f"{version} {weight} %" for version, weight in wanted.items()),
        served=" / ".join(f"{version} {shares.get(version, 0):.2f} %" for version in wanted),
        error=f"{error:.2f} points",
        failed=str(traffic.failed(counts)),
    )


def _at(event: Event) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def _made_by_proxies(bookinfo: Bookinfo) -> dict[tuple[str, ...], float]:
    """Answers that no workload gave since the namespace was made, by response flag, as the callers' proxies saw them."""
    return bookinfo.cluster.query(
        f'sum by (response_flags) (istio_requests_total{{reporter="source",source_workload_namespace='
        f'"{bookinfo.namespace}",response_flags=~".*({OF_A_SHIFT}).*"}}) > 0'
    )


def _write_calls(run: Play, bookinfo: Bookinfo, figures: Figures) -> None:
    """How many calls each stage made to the API server."""
    times = (call["requestReceivedTimestamp"] for call in bookinfo.cluster.calls_of_runner())
    calls = collections.Counter(_stage_at(run, datetime.fromisoformat(it).timestamp()) for it in times)
    for event in run.all(named("stage.started")):
        figures.add("API calls of each stage", stage=event["stage"], calls=str(calls[event["stage"]]))


def _stage_at(run: Play, moment: float) -> str:
    before = [event["stage"] for event in run.all(named("stage.started")) if _at(event) <= moment]
    return before[-1] if before else "before the first stage"


def _rich_virtual_service(bookinfo: Bookinfo) -> Object:
    """Give reviews a VirtualService with everything that a shift must leave alone, and return it as the server has it."""
    destination = {"host": "reviews", "subset": "v1"}
    bookinfo.kubectl(
        "apply",
        "-f",
        "-",
        give=json.dumps(
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "VirtualService",
                "metadata": {
                    "name": "reviews",
                    "annotations": {"team": "books", "note": "kept as it is"},
                    "labels": {"owner": "books"},
                },
                "spec": {
                    "hosts": ["reviews"],
                    "http": [
                        {
                            "name": "testers",
                            "match": [{"headers": {"end-user": {"exact": "jason"}}}],
                            "route": [{"destination": {"host": "reviews", "subset": "v2"}}],
                        },
                        {
                            "name": "everybody",
                            "route": [
                                {"destination": destination, "headers": {"request": {"set": {"x-a": "b"}}}}
                            ],
                            "timeout": "7s",
                            "retries": {"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx,reset"},
                            "fault": {"delay": {"percentage": {"value": 0.1}, "fixedDelay": "0.01s"}},
                            "mirror": {"host": "reviews", "subset": "v2"},
                            "mirrorPercentage": {"value": 1},
                            "corsPolicy": {"allowOrigins": [{"exact": "https://example.org"}]},
                        },
                    ],
                },
            }
        ),
    )
    return bookinfo.virtual_service()


def _without_our_part(document: Object) -> str:
    """The object without what a shift may change, as bytes to compare."""
    copy = json.loads(json.dumps(document))
    copy["spec"]["http"][1].pop("route")
    kept = {key: it for key, it in copy["metadata"]["annotations"].items() if key != "runner/run"}
    metadata = {"labels": copy["metadata"]["labels"], "annotations": kept}
    return json.dumps([metadata, copy["spec"]], sort_keys=True)


def _that_has_traffic(document: Object) -> list[Object]:
    """The destinations of the route that have requests; a lone one has all, whether or not it says so."""
    found = document["spec"]["http"][1]["route"]
    return [{**one, "weight": 100} for one in found if len(found) == 1 or one.get("weight", 0) == 100]
