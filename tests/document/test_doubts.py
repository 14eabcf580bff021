"""`validate --traffic` warns of gates that see too little, each at its own place."""

from pathlib import Path

import pytest

from runner.cli.entry import run
from runner.document.doubts import doubts, rates
from runner.errors import Severity, UsageError

PLAYBOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: orders, version: 1.0.0}
target: {namespace: shop, prometheus: prod}
routes:
  orders: {virtualService: orders, stable: v1, canary: v2}
checks:
  errors:
    ratio:
      bad: sum(increase(requests_total{version="v2",code=~"5.."}[1m]))
      of: sum(increase(requests_total{version="v2"}[1m]))
    max: 0.01
stages:
  - name: shift
    shift: {route: orders, canary: 20}
  - name: verify
    verify: {checks: [errors], count: 2}
  - name: everything
    shift: {route: orders, canary: 100}
  - name: promote
    promote: {route: orders}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "orders.yaml"
    path.write_text(PLAYBOOK)
    return str(path)


def found(file, *texts):
    return [(each.code, each.location.line) for each in doubts(file, rates(texts))]


def test_too_few_requests_are_told_at_the_stage_that_asks(file):
    assert ("RUN617", 16) in found(file, "1/s")


def test_a_gate_that_sees_little_is_told(file):
    assert ("RUN618", 16) in found(file, "4/s")


def test_a_claim_that_is_decided_too_early_is_told(file):
    assert ("RUN619", 16) in found(file, "20/s")


def test_a_shift_that_nothing_watches_is_told(file):
    assert ("RUN620", 18) in found(file, "1000/s")
    assert not any(code in ("RUN617", "RUN618", "RUN619") for code, _ in found(file, "1000/s"))


def test_all_of_it_is_a_warning(file, capsys):
    assert {each.severity for each in doubts(file, rates(["1/s"]))} == {Severity.WARNING}
    assert run(["validate", file, "--traffic", "orders=60/m"]) == 0
    assert "RUN617" in capsys.readouterr().out


def test_traffic_of_another_route_says_nothing(file):
    assert found(file, "payments=50/s") == []


def test_a_playbook_that_is_wrong_has_no_forecast(file):
    Path(file).write_text(PLAYBOOK + "stages: []\n")

    assert found(file, "1/s") == []


@pytest.mark.parametrize(
    ("text", "rate"), [("50", 50), ("50/s", 50), ("300/m", 5), ("7200/h", 2), ("0.5/s", 0.5)]
)
def test_rates_are_requests_in_a_time(text, rate):
    assert rates([text, f"orders={text}"]) == {None: rate, "orders": rate}


@pytest.mark.parametrize("text", ["", "fast", "-1/s", "5/d", "orders="])
def test_what_is_no_rate_is_wrong_usage(text):
    with pytest.raises(UsageError, match="is no rate"):
        rates([text])
