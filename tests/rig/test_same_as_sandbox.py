"""The same scenarios in the sandbox and on real parts: the same decisions, splits, gates, rollbacks and ends.

Clocks differ, and so does the number of looks; what was decided may not. A difference is the sandbox's to mend.
"""

from __future__ import annotations

import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from rig import play, story
from rig.cluster import MANIFESTS, Bookinfo, Cluster, until
from rig.enact import Scene
from rig.figures import Figures
from rig.places import SOURCES
from rig.story import Story
from rig.telemetry import SCRAPE_SECONDS
from rig.traffic import Load
from rig.valve import Valve

Scenario = dict[str, Any]

RATE = 60  # requests a second, in both worlds
AT_ONCE = 3  # scenarios that play side by side on real parts
SCENARIOS: list[Scenario] = list(yaml.safe_load_all((SOURCES / "scenarios.yaml").read_text()))


@pytest.fixture(scope="module")
def real_stories(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Story]]:
    """All scenarios begin at once, a few side by side; each test waits for its own."""
    if not cluster.rig or not cluster.gateway:
        pytest.skip("this turns knobs that only a rig of ours has")
    pool = ThreadPoolExecutor(AT_ONCE)
    return {
        scenario["name"]: pool.submit(_play_for_real, cluster, scenario, tmp_path_factory.mktemp("real"))
        for scenario in SCENARIOS
    }


@pytest.mark.rig_only
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda it: it["name"])
def test_real_parts_decide_as_the_sandbox_does(
    scenario: Scenario, real_stories: dict[str, Future[Story]], tmp_path: Path, figures: Figures
) -> None:
    virtual = _play_in_sandbox(scenario, tmp_path)
    real = real_stories[scenario["name"]].result()
    assert real.decisions == virtual.decisions
    assert real.verdicts == virtual.verdicts
    assert real.code == virtual.code
    figures.add(
        "Scenarios that the sandbox and the real parts decide alike",
        scenario=scenario["name"],
        exit_code=str(real.code),
        last_decision=real.decisions[-1],
    )


def _words(scenario: Scenario, namespace: str) -> list[str]:
    given = {"namespace": namespace} | scenario.get("vars", {})
    return [f"--var={name}={value}" for name, value in given.items()]


def _playbook(scenario: Scenario) -> Path:
    return SOURCES / "playbooks" / str(scenario.get("playbook", "compared.yaml"))


def _play_in_sandbox(scenario: Scenario, folder: Path) -> Story:
    document = {
        "apiVersion": "runner/v1",
        "kind": "Scenario",
        "metadata": {"name": "compared", "description": scenario["name"]},
        "given": {
            "files": [path.name for path in sorted(MANIFESTS.glob("*.yaml"))],
            "split": {"reviews": scenario.get("split", {"v1": 100})},
            "traffic": {"reviews": f"{RATE}/s"},
            "latency": {"reviews": "5ms"},
            "scrape": f"{SCRAPE_SECONDS}s",
        },
        "when": scenario.get("when", []),
    }
    for path in MANIFESTS.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    (folder / "scenario.yaml").write_text(yaml.safe_dump(document))
    words = ["--scenario", "scenario.yaml", "--state", "run.jsonl", *_words(scenario, "bookinfo")]
    # In an instant sandbox everybody agrees at once; at a watchable pace a gate waits as it does on a cluster.
    pace = ["--speed", "50"] if "playbook" in scenario else []
    return story.of(play.launch(folder, "play", str(_playbook(scenario)), "--sandbox", *words, *pace))


def _play_for_real(cluster: Cluster, scenario: Scenario, folder: Path) -> Story:
    """Play it in a namespace of its own, behind a host name of its own, so that others may play beside it."""
    namespace = f"same-{secrets.token_hex(3)}"
    bookinfo = Bookinfo(cluster, namespace, host=f"{namespace}.test")
    cluster.kubectl("create", "namespace", namespace)
    try:
        bookinfo.install()
        until(bookinfo.is_scraped, 30, "Prometheus has found the new pods")
        if "split" in scenario:
            bookinfo.shift(**scenario["split"])
        with (
            Valve(cluster.prometheus) as valve,
            Load(bookinfo.reviews_url, rps=RATE, host=bookinfo.host) as load,
        ):
            return _enact(scenario, folder, Scene(bookinfo, _canary(scenario), load, valve))
    finally:
        bookinfo.remove_all()


def _enact(scenario: Scenario, folder: Path, scene: Scene) -> Story:
    events = scenario.get("when", [])
    scene.prepare(events)
    words = _words(scenario, scene.bookinfo.namespace)
    run = play.of(scene.bookinfo, folder, _playbook(scenario), *words, prometheus=scene.prometheus.url)
    scene.follow(run, events)
    return story.of(run)


def _canary(scenario: Scenario) -> str:
    return str(scenario.get("vars", {}).get("canary", "v3"))
