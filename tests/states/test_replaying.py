"""What has happened means the same, read at once from a file or heard one by one as it happened."""

from functools import reduce

import pytest

from runner.cli.recording import recorded_playbook
from runner.engine.evolve import evolve
from runner.engine.evolve import replay as replay_state
from runner.engine.state import begin
from runner.journal import read
from runner.reports.fold import fold, opening
from runner.reports.fold import replay as replay_view
from runner.stages.kinds import compile_playbook
from tests.states.kept_runs import KEPT, called

GUARDED = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: guarded}
target: {namespace: shop}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
checks:
  errors: {query: 'sum(rate(istio_requests_total{response_code=~"5.."}[1m])) or vector(0)', max: 1}
  share:
    query: 'sum by (destination_canonical_revision) (rate(istio_requests_total{reporter="source"}[1m]))'
    split: {route: orders, by: destination_canonical_revision, tolerance: 20}
guards: [{check: errors, every: 10s}, {check: share, every: 15s, failureLimit: 100}]
stages:
  - {name: a fifth, shift: {route: orders, canary: 20}}
  - {name: soak, wait: 2m}
  - {name: look, verify: {checks: [errors, share], every: 10s, count: 3}}
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "guarded.yaml").write_text(GUARDED)
    called("play", str(folder / "guarded.yaml"), "--sandbox", "--state", str(folder / "guarded.jsonl"))
    return read(folder / "guarded.jsonl")


@pytest.fixture(params=[*sorted(KEPT.glob("*/*.jsonl")), "guarded"], ids=lambda path: str(path)[-40:])
def record(request, guarded):
    return guarded if request.param == "guarded" else read(request.param)


def test_the_engine_replays_a_journal_as_it_lived_it(record):
    begun = begin(compile_playbook(record.run, recorded_playbook(record)))

    assert replay_state(begun, record.events) == reduce(evolve, record.events, begun)


def test_a_report_replays_a_journal_as_it_was_told(record):
    empty = opening(record.run, recorded_playbook(record))

    assert replay_view(empty, record.events) == reduce(fold, record.events, empty)


def test_the_guarded_run_has_what_tells_the_ways_apart(guarded):
    places = [(event.stage, event.guard) for event in guarded.events if hasattr(event, "verdict")]

    assert {guard for stage, guard in places if stage is None} == {"errors", "share"}
    assert any(stage for stage, _ in places)
