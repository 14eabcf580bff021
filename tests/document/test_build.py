"""From a document to the model: what is written, and the defaults of what is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.document import Loaded, read_playbook
from runner.model.checks import Agreement, Allow, Bounds, Comparison, Query, Ratio, Reduce, Verdict
from runner.model.playbook import OnFailure, OnInterrupt
from runner.model.split import split_of
from runner.model.stages import (
    Apply,
    Approve,
    OnInconclusive,
    OnTimeout,
    Promote,
    Scale,
    Shift,
    Verify,
    Wait,
)

Read = Callable[[str], Loaded]


@pytest.fixture
def read(playbook: Callable[[str], str], tmp_path: Path) -> Read:
    def whole(fragment: str, **stables: str) -> Loaded:
        file = tmp_path / "p.yaml"
        file.write_text(playbook(fragment))
        return read_playbook(file, stables=stables)

    return whole


def test_defaults_are_those_for_three_in_the_morning(read: Read) -> None:
    built = read("stages:\n  - name: look\n    verify: {checks: [errors]}\n").playbook
    (verify,) = (stage.kind for stage in built.stages)
    (guard,) = built.guards

    assert verify == Verify(
        built.checks,
        every=30.0,
        count=5,
        failure_limit=0,
        patience=300.0,
        on_inconclusive=OnInconclusive.ROLLBACK,
    )
    assert (guard.every, guard.failure_limit, guard.patience, guard.route) == (15.0, 2, 300.0, "orders")
    assert (built.on_failure, built.on_interrupt, built.deadline) == (
        OnFailure.ROLLBACK,
        OnInterrupt.HOLD,
        86400.0,
    )
    assert built.checks[0].no_data is Verdict.INCONCLUSIVE
    assert isinstance(built.checks[0].measure, Ratio)
    assert built.checks[0].measure.min_samples == 30


def test_every_kind_is_built(read: Read) -> None:
    built = read(
        "stages:\n"
        "  - {name: a, shift: {route: orders, canary: 20}}\n"
        "  - {name: b, shift: {route: orders, weights: {v1: 70, v2: 30, v3: 0}, ready: 1m, capacity: ignore}}\n"
        "  - {name: c, wait: 1h30m}\n"
        "  - {name: d, scale: {deployment: x, replicas: 0}}\n"
        "  - {name: e, scale: {deployment: x, like: z, ready: 1m}}\n"
        "  - {name: f, approve: {message: go on?, timeout: 4h, onTimeout: hold}}\n"
        "  - {name: g, promote: {route: orders}}\n"
        "rollback:\n  - {name: h, wait: 500ms}\n"
        "onFailure: hold\nonInterrupt: rollback\ndeadline: 2d\n"
    ).playbook

    assert [stage.kind for stage in built.stages] == [
        Shift("orders", split_of({"v1": 80, "v2": 20}), ready=120.0),
        Shift("orders", split_of({"v1": 70, "v2": 30}), ready=60.0, ignore_capacity=True),
        Wait(5400.0),
        Scale("x", replicas=0),
        Scale("x", like="z", ready=60.0),
        Approve("go on?", 14400.0, OnTimeout.HOLD),
        Promote("orders"),
    ]
    assert built.rollback[0].kind == Wait(0.5)
    assert (built.on_failure, built.on_interrupt, built.deadline) == (
        OnFailure.HOLD,
        OnInterrupt.ROLLBACK,
        172800.0,
    )


def test_apply_carries_its_manifests(read: Read, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("{apiVersion: v1, kind: Service, metadata: {name: s}}\n")

    built = read(
        "stages:\n  - {name: a, apply: {files: [m.yaml], ready: none, ifAbsent: true, takeOver: kubectl}}\n"
        "  - {name: b, apply: {files: [m.yaml]}}\n"
    ).playbook

    (first, second) = (stage.kind for stage in built.stages)
    assert isinstance(first, Apply)
    assert (first.ready, first.if_absent, first.take_over) == (None, True, "kubectl")
    assert isinstance(second, Apply)
    assert (second.ready, second.if_absent, second.take_over) == (300.0, False, None)
    assert first.manifests[0].file == "m.yaml"
    assert first.manifests[0].object["metadata"] == {"name": "s", "namespace": "shop"}


def test_checks_are_built_with_their_judgement(read: Read) -> None:
    checks = {
        check.name: check
        for check in read(
            "checks:\n"
            "  errors: {ratio: {bad: 'increase(b{v=\"v2\"}[1m])', of: 'increase(o{v=\"v2\"}[2m] offset 1m)'},"
            " min: 0.5, minSamples: 7}\n"
            "  value: {query: 'max_over_time(x{v=\"v2\"}[5m:1m])', between: [1, 2], reduce: max, unit: ms, noData: fail}\n"
            "  moment: {query: 'x{v=\"v2\"}', max: 3, allowWarnings: [some]}\n"
            "  served: {query: sum(x) by (v), split: {route: orders, by: v, tolerance: 5}}\n"
            "  shares: {query: sum(x) by (v), split: {expect: {v1: 60, v2: 40}, by: v}}\n"
            "  against: {compare: {canary: {bad: 'b{v=\"v2\"}', of: o}, stable: {bad: b, of: o}, allow: 10%}}\n"
            "guards:\n  - {check: errors, min: 0.9, every: 5s, failureLimit: 0, onInconclusive: pause}\n"
        ).playbook.checks
    }

    errors = checks["errors"]
    assert isinstance(errors.measure, Ratio)
    assert (errors.measure.bad.lookback, errors.measure.of.lookback, errors.measure.min_samples) == (
        60.0,
        180.0,
        7,
    )
    assert errors.judgement == Bounds(min=0.5)
    assert checks["value"].measure == Query('max_over_time(x{v="v2"}[5m:1m])', 300.0)
    assert checks["value"].judgement == Bounds(min=1, max=2)
    assert (checks["value"].reduce, checks["value"].unit) == (Reduce.MAX, "ms")
    assert checks["value"].no_data is Verdict.FAILED
    assert checks["moment"].allow_warnings == ("some",)
    assert checks["served"].judgement == Agreement("v", 5.0, route="orders")
    assert checks["shares"].judgement == Agreement("v", 10.0, expect=split_of({"v1": 60, "v2": 40}))
    against = checks["against"].judgement
    assert isinstance(against, Comparison)
    assert (against.allow, against.allowance, against.confidence) == (Allow.RELATIVE, 0.1, 0.95)


def test_a_bound_may_be_given_anew_where_a_check_is_used(read: Read) -> None:
    built = read(
        "stages:\n  - name: look\n    verify:\n      checks: [errors, {check: errors, max: 0.2},"
        " {name: own, query: 'x{v=\"v2\"}', max: 1}]\n      for: 5m\n      every: 40s\n"
    ).playbook

    kind = built.stages[0].kind
    assert isinstance(kind, Verify)
    assert [check.name for check in kind.checks] == ["errors", "errors", "own"]
    assert [check.judgement for check in kind.checks] == [Bounds(max=0.01), Bounds(max=0.2), Bounds(max=1)]
    assert kind.count == 8
    assert built.guards[0].check.judgement == Bounds(max=0.05)


ROUTE = 'routes:\n  orders: {virtualService: orders, canary: "{{ canary }}"}\n'
SCALE = 'stages:\n  - {name: a, shift: {route: orders, canary: 20}}\n  - {name: b, scale: {deployment: "o-{{ routes.orders.stable }}", replicas: 1}}\n'


def test_a_stable_subset_that_nobody_wrote_is_filled_in_when_it_is_known(read: Read) -> None:
    unknown = read(ROUTE + SCALE)
    known = read(ROUTE + SCALE, orders="v7")

    assert unknown.unresolved == ("orders",)
    assert unknown.playbook.routes[0].stable == ""
    assert known.unresolved == ()
    assert known.playbook.routes[0].stable == "v7"
    assert known.tree["routes"]["orders"]["stable"] == "v7"
    assert known.playbook.stages[0].kind == Shift("orders", split_of({"v7": 80, "v2": 20}))
    assert known.playbook.stages[1].kind == Scale("o-v7", replicas=1)


def test_labels_of_subsets_come_from_the_route_or_an_applied_rule(read: Read, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: orders}\n"
        "spec:\n  host: orders\n  subsets:\n"
        "    - {name: v1, labels: {version: '1.4.1'}}\n    - {name: v2, labels: {version: '1.4.2'}}\n"
    )
    stages = "stages:\n  - {name: a, apply: {files: [r.yaml]}}\n  - {name: b, shift: {route: orders, canary: 20}}\n"
    labels = 'routes:\n  orders: {virtualService: orders, stable: v1, canary: v2, labels: {v2: "two"}}\n'

    applied = read(stages).playbook.routes[0]
    said = read(stages + labels).playbook.routes[0]

    assert applied.labels == (("v1", "1.4.1"), ("v2", "1.4.2"))
    assert said.labels == (("v1", "1.4.1"), ("v2", "two"))
