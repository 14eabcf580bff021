"""Scenarios as documents: those that ship, what may stand in one, and what is said of a wrong one."""

from pathlib import Path

import pytest

from runner.bootstrap import rehearsing
from runner.document.places import repository
from runner.document.playbook import read_playbook
from runner.document.scenario import read_scenario
from runner.errors import InvalidDocumentError
from runner.model.scenario import (
    FAULT_KEYS,
    ApiFault,
    ApiTrouble,
    Counts,
    DeleteObject,
    Edit,
    Errors,
    Expectation,
    Given,
    Gone,
    Load,
    MergeObject,
    MetricsFault,
    MetricsTrouble,
    NotReady,
    NotReadyBecause,
    PutObjects,
    Scenario,
    SeriesRule,
    SetWeights,
    Slowness,
    TrafficChange,
    When,
)
from runner.model.split import split_of
from runner.rehearsal.expectations import unmet
from runner.rehearsal.playing import play
from runner.sandbox import prepare

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "playbooks" / "scenarios").glob("*.yaml"))
HEAD = "apiVersion: runner/v1\nkind: Scenario\nmetadata: {name: tried}\n"


def read(tmp_path, text):
    """The scenario that *text* is, with one manifest beside it."""
    (tmp_path / "cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")
    file = tmp_path / "scenario.yaml"
    file.write_text(HEAD + text)
    return read_scenario(file)


def faults(tmp_path, entry):
    """The fault of one entry."""
    return read(tmp_path, f"when:\n  - {{at: start, {entry}}}\n").when[0].fault


def said(tmp_path, text):
    """What is wrong, as ``code line message``."""
    with pytest.raises(InvalidDocumentError) as refused:
        read(tmp_path, text)
    return [(found.code, found.location.line, found.message) for found in refused.value.diagnostics]


def test_the_scenarios_that_ship_are_the_ones_that_are_promised():
    assert [file.stem for file in SHIPPED] == [
        "api-faults",
        "bad-canary",
        "foreign-edit",
        "healthy",
        "no-traffic",
        "pods-never-ready",
        "prometheus-down",
        "slow-canary",
    ]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_scenario_is_called_as_its_file_and_expects_something(file):
    scenario = read_scenario(file)

    assert scenario.name == file.stem
    assert scenario.description
    assert scenario.expect is not None


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_scenario_speaks_of_stages_and_checks_of_the_bookinfo_canary(file):
    playbook = read_playbook(ROOT / "playbooks" / "bookinfo-canary.yaml").playbook
    scenario = read_scenario(file)

    assert {when.stage for when in scenario.when} - {None} <= {stage.name for stage in playbook.stages}
    assert set(scenario.expect.fired_by or ()) <= {check.name for check in playbook.checks}
    assert prepare(playbook, scenario, seed=1, start=0.0).streams[0].name == "reviews"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_scenario_ends_as_it_expects(file, seed):
    playbook = read_playbook(ROOT / "playbooks" / "bookinfo-canary.yaml").playbook

    played = play(playbook, read_scenario(file), rehearsing(seed))

    assert unmet(played) == ()
    assert played.broken == ()


def test_everything_that_may_be_given_is_understood(tmp_path):
    given = read(
        tmp_path,
        """
given:
  files: [cm.yaml]
  manager: kubectl-client-side-apply
  split: {reviews: {v1: 80, v3: 20}}
  traffic: {reviews: 300/m, ratings: {rate: 2/s, path: /x, headers: {end-user: jason}, source: productpage}}
  latency: {reviews: 120ms}
  scrape: 60s
  series:
    - {metric: a_total, from: failures, labels: {version: "{subset}"}, route: reviews}
    - {metric: b_ms, from: duration, unit: ms}
    - {metric: c_seconds, from: duration, buckets: [0.1, 1]}
""",
    ).given

    assert given.files[0].object["metadata"]["name"] == "c"
    assert given == Given(
        files=given.files,
        manager="kubectl-client-side-apply",
        split=(("reviews", split_of({"v1": 80, "v3": 20})),),
        traffic=(
            ("reviews", Load(5.0)),
            ("ratings", Load(2.0, "/x", (("end-user", "jason"),), "productpage")),
        ),
        latency=(("reviews", 120.0),),
        scrape=60.0,
        series=(
            SeriesRule("a_total", Counts.FAILURES, (("version", "{subset}"),), "reviews"),
            SeriesRule("b_ms", Counts.DURATION, milliseconds=True, buckets=given.series[1].buckets),
            SeriesRule("c_seconds", Counts.DURATION, buckets=(0.1, 1)),
        ),
    )
    assert given.series[1].buckets[0] == 5.0


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("errors: 30%", Errors(0.3)),
        ("errors: {share: 0.5%, code: 503}", Errors(0.005, 503)),
        ("latency: +300ms", Slowness(300.0)),
        ("latency: x3", Slowness(0.0, 3.0)),
        ("latency: x2+1s", Slowness(1000.0, 2.0)),
        ("traffic: 0/s", TrafficChange(0.0)),
        ("traffic: x0.1", TrafficChange(None, 0.1)),
        ("ready: never", NotReady(NotReadyBecause.NEVER)),
        ("ready: 90s", NotReady(None, 90.0)),
        ("gone: true", Gone()),
        ('api: "500"', ApiFault(ApiTrouble.ERROR)),
        (
            "api: {fault: lost, call: 2, verbs: [replace], kinds: [VirtualService]}",
            ApiFault(ApiTrouble.LOST, 2, ("replace",), ("VirtualService",)),
        ),
        ("prometheus: partial", MetricsFault(MetricsTrouble.PARTIAL)),
        ("edit: {weights: {v1: 50, v3: 50}}", Edit(SetWeights((("v1", 50), ("v3", 50))))),
        ("edit: {delete: VirtualService/reviews}", Edit(DeleteObject("VirtualService", "reviews"))),
        (
            "edit: {object: Deployment/r, merge: {spec: {replicas: 0}}, by: hpa}",
            Edit(MergeObject("Deployment", "r", {"spec": {"replicas": 0}}), "hpa"),
        ),
    ],
)
def test_every_fault_is_understood(tmp_path, entry, fault):
    assert faults(tmp_path, entry) == fault


def test_a_person_may_apply_files(tmp_path):
    change = faults(tmp_path, "edit: {files: [cm.yaml]}").change

    assert isinstance(change, PutObjects)
    assert [manifest.object["kind"] for manifest in change.files] == ["ConfigMap"]


@pytest.mark.parametrize(
    ("moment", "stage", "after"),
    [
        ("start", None, 0.0),
        ("start, after: 90s", None, 90.0),
        ("90s", None, 90.0),
        ("1m, after: 30s", None, 90.0),
        ('"stage: shift 80/20", after: 1m30s', "shift 80/20", 90.0),
    ],
)
def test_every_moment_is_understood(tmp_path, moment, stage, after):
    when = read(
        tmp_path, f"when:\n  - {{at: {moment}, for: 2m, route: r, subset: canary, gone: true}}\n"
    ).when[0]

    assert when == When(Gone(), stage, after, 120.0, "r", "canary")


def test_expectations_are_understood(tmp_path):
    text = "expect: {outcome: rejected, exit: 3, splits: {reviews: {v1: 100}}, firedBy: [], within: 2m}\n"

    expect = read(tmp_path, text).expect

    assert expect == Expectation("rejected", 3, (("reviews", split_of({"v1": 100})),), (), 120.0)


def test_a_scenario_may_say_nothing(tmp_path):
    assert read(tmp_path, "") == Scenario("tried")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("when:\n  - {at: start}\n", ("RUN701", 5, "nothing goes wrong in this entry")),
        ("when:\n  - {at: start, edit: {by: me}}\n", ("RUN701", 5, "this edit changes nothing")),
        ("when:\n  - {at: start, edit: {merge: {a: b}}}\n", ("RUN702", 5, "merge into which object?")),
        (
            "given: {split: {reviews: {v1: 80, v3: 30}}}\n",
            ("RUN703", 4, "the weights add up to 110, a split adds up to 100"),
        ),
        (
            "given: {series: [{metric: a, from: duration, buckets: [1, 1]}]}\n",
            ("RUN704", 4, "the bounds of buckets must grow"),
        ),
        ("given: {scrape: 100ms}\n", ("RUN705", 4, "Prometheus scrapes once a second at most here")),
        (
            "given: {series: [{metric: a_count, from: requests}, {metric: a, from: duration, route: r}]}\n",
            ("RUN706", 4, "a_count is produced already"),
        ),
        (
            "given: {series: [{metric: istio_requests_total, from: requests}]}\n",
            ("RUN706", 4, "istio_requests_total is produced already"),
        ),
        (
            'given: {series: [{metric: a, from: requests, labels: {v: "{versoin}"}}]}\n',
            ("RUN707", 4, "a label cannot hold {versoin}"),
        ),
    ],
)
def test_what_the_schema_cannot_say_is_said_at_its_place(tmp_path, text, wanted):
    assert said(tmp_path, text) == [wanted]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("when:\n  - {at: start, errors: 30%, gone: true}\n", "RUN111", "gone"),
        ("when:\n  - {at: start, errors: 130%}\n", "RUN107", '"130%" is no value of "errors"'),
        ("when:\n  - {at: later, gone: true}\n", "RUN107", '"later" is no value of "at"'),
        ("when:\n  - {at: start, latency: 2s}\n", "RUN107", '"2s" is not a slowdown'),
        (
            "when:\n  - {at: start, edit: {object: reviews, delete: true}}\n",
            "RUN107",
            '"reviews" is not an object',
        ),
        ("given: {traffic: {reviews: fast}}\n", "RUN107", '"fast" is not a load'),
        ("when:\n  - {errors: 30%}\n", "RUN104", "at"),
        ("when:\n  - {at: start, error: 30%}\n", "RUN103", "error"),
        ("when:\n  - {at: start, prometheus: gone}\n", "RUN106", "gone"),
        ("given: {latency: {reviews: 0s}}\n", "RUN107", "0s"),
        ("given: {traffic: {reviews: 50}}\n", "RUN105", "reviews"),
        ("expect: {outcome: failed}\n", "RUN106", "failed"),
        ("given: {files: [nothing.yaml]}\n", "RUN301", "nothing.yaml"),
        ("given: {files: [../../etc/passwd]}\n", "RUN302", "outside"),
    ],
)
def test_what_is_wrong_has_a_code_and_names_it(tmp_path, text, code, words):
    found = said(tmp_path, text)

    assert any(each[0] == code and words in each[2] for each in found), found


def test_everything_wrong_is_said_at_once(tmp_path):
    found = said(
        tmp_path, "when:\n  - {at: start, errors: 130%}\n  - {at: later, gone: true}\nexpect: {exit: x}\n"
    )

    assert [line for _, line, _ in found] == [5, 6, 7]


def test_schema_and_model_know_the_same_faults():
    from runner.document.schema import published

    keys = published("scenario")["definitions"]["when"]["properties"].keys()

    assert set(FAULT_KEYS) == keys - {"at", "after", "for", "route", "subset"}


def test_one_metric_of_two_routes_is_no_repetition(tmp_path):
    text = "given: {series: [{metric: a, from: requests, route: r}, {metric: a, from: requests, route: s}]}\n"

    assert len(read(tmp_path, text).given.series) == 2


def test_files_may_lie_anywhere_in_the_repository():
    place = repository(str(SHIPPED[0]), None)

    assert place.find("../bookinfo/bookinfo.yaml")
