"""Disturbed runs end on a real API server as they end in the simulator: exit codes, record, traffic and marker.

Clocks differ, and how often something is asked; what comes of it may not. A difference is mended in the simulator's world
or in `runner`, whichever is wrong.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig import build, control
from rig.cluster import REPOSITORY, Cluster
from rig.disturbances import Scenario, scenarios
from rig.ends import End, end_of
from rig.figures import Figures
from rig.theatre import Hall, Theatre
from rig.wire import Call

SCENARIOS = scenarios()
AT_ONCE = 12  # scenarios that are played side by side; most of their time they wait
UNDISTURBED = "nothing happens"
MOST_OF_A_SHIFT = 9  # calls: may it start, is it ready, the lease, reading, writing and reading back
Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario on real parts: how it ended, the calls it took, and what its processes said."""

    told: Told
    calls: list[Call]
    said: str


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> list[Scenario]:
    """The scenarios that this session is to play."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [call.params["scenario"] for call in calls if call is not None and "scenario" in call.params]
    return [one for one in asked if isinstance(one, Scenario)]


@pytest.fixture(scope="module")
def twins(chosen: list[Scenario]) -> dict[str, Told]:
    """How the simulator says that they end."""
    command = [sys.executable, "-m", "tests.prove.twin", *(one.name for one in chosen)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {told["name"]: told for told in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def plays(
    cluster: Cluster, chosen: list[Scenario], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Played]]]:
    """All of them begin at once, a few side by side; those that disturb a control plane have one for themselves."""
    if not cluster.rig:
        pytest.skip("this ends processes that only a rig of ours has")
    folder = tmp_path_factory.mktemp("stranger")
    programs = build.build(mesh=False)
    subprocess.run([str(programs.workloads), "certificates", str(folder), "127.0.0.1"], check=True)
    with ExitStack() as stack:
        kinds = {scenario.alone for scenario in chosen}
        halls = {kind: stack.enter_context(_hall(programs, folder)) for kind in kinds}
        many, one = ThreadPoolExecutor(AT_ONCE), ThreadPoolExecutor(1)
        theatres = {it.name: _theatre(halls[it.alone], it, tmp_path_factory) for it in chosen}
        disturbing = [theatre for theatre in theatres.values() if theatre.scenario.alone]
        list(many.map(Theatre.furnish, disturbing))  # while its API server still stands
        played = {theatre.scenario.name: one.submit(_play, theatre) for theatre in disturbing}
        beside = {name: it for name, it in theatres.items() if not it.scenario.alone}
        played |= {name: many.submit(_furnish_and_play, theatre) for name, theatre in beside.items()}
        yield played
        for pool in (many, one):
            pool.shutdown(cancel_futures=True)


@pytest.mark.rig_only
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, id=one.name, marks=[pytest.mark.quick] if one.quick else []) for one in SCENARIOS],
)
def test_disturbed_run_ends_as_in_the_simulator(
    scenario: Scenario, plays: dict[str, Future[Played]], twins: dict[str, Told], figures: Figures
) -> None:
    simulated, played = twins[scenario.name], plays[scenario.name].result()
    assert played.told["happened"] == simulated["happened"] == len(scenario.when), played.said
    end = end_of(played.told)
    assert end == end_of(simulated), played.said
    if scenario.stops:
        assert _writes_after_its_successor(played.calls) == []
    _note(figures, scenario, end)


@pytest.mark.quick
@pytest.mark.rig_only
def test_shift_asks_the_api_server_seldom(plays: dict[str, Future[Played]], figures: Figures) -> None:
    if UNDISTURBED not in plays:
        pytest.skip("the undisturbed run is not among those that were asked for")
    asked = _calls_of_first_shift(plays[UNDISTURBED].result().calls)
    assert len(asked) <= MOST_OF_A_SHIFT, asked
    figures.add(
        "Calls of one shift, leases included", calls=str(len(asked)), one_after_another=", ".join(asked)
    )


def _calls_of_first_shift(calls: list[Call]) -> list[str]:
    """From the last word on the manifest before it to the reading back of the route."""
    applied = max(
        n for n, call in enumerate(calls) if call.path.partition("?")[0].endswith("/configmaps/note")
    )
    written = next(n for n, call in enumerate(calls) if call.method == "PUT" and _route(call))
    read_back = next(
        n for n, call in enumerate(calls) if n > written and call.method == "GET" and _route(call)
    )
    return [f"{call.method} {_plural(call)}" for call in calls[applied + 1 : read_back + 1]]


def _route(call: Call) -> bool:
    return "/virtualservices/" in call.path


def _plural(call: Call) -> str:
    """What kind of object a path in a namespace is about; everything else as it is."""
    parts = call.path.partition("?")[0].split("/")
    return parts[parts.index("namespaces") + 2] if "namespaces" in parts else call.path


def _writes_after_its_successor(calls: list[Call]) -> list[Call]:
    """What the first process wrote to the route after another one had."""
    to_route = [
        call for call in calls if call.writes and "/virtualservices/" in call.path and call.status == 200
    ]
    others = [call.at for call in to_route if call.process != 0]
    return [call for call in to_route if call.process == 0 and others and call.at > min(others)]


def _note(figures: Figures, scenario: Scenario, end: End) -> None:
    figures.add(
        "Disturbed runs that end alike on a real API server and in the simulator",
        scenario=scenario.name,
        exit_codes=", ".join("killed" if code < 0 else str(code) for code in end.codes),
        last_decision=end.last,
        traffic=end.live,
    )


@contextmanager
def _hall(programs: build.Binaries, stranger: Path) -> Iterator[Hall]:
    """A control plane of one's own, gone in the end; it also goes when this process does."""
    name = f"disturbed-{secrets.token_hex(3)}"
    rig, lifeline = control.up(name, programs, lambda _: None)
    try:
        yield Hall(rig, stranger)
    finally:
        control.down(name)
        os.close(lifeline)


def _theatre(hall: Hall, scenario: Scenario, folders: pytest.TempPathFactory) -> Theatre:
    return Theatre(hall, scenario, folders.mktemp("disturbed"), f"disturbed-{secrets.token_hex(3)}")


def _furnish_and_play(theatre: Theatre) -> Played:
    theatre.furnish()
    return _play(theatre)


def _play(theatre: Theatre) -> Played:
    return Played(theatre.play(), theatre.wire.calls, theatre.said())
