"""The Metrics port: the same questions to the sandbox and to a real Prometheus; it never raises."""

import time
from math import isnan
from pathlib import Path

import pytest
import yaml

from runner.adapters.clock import SystemClock
from runner.adapters.metrics_source import Direct
from runner.adapters.prometheus import Prometheus
from runner.model.config import MetricsSource
from runner.model.evidence import Answer, NoAnswer
from tests.contract.benches import NOON, PROMETHEUS, SandboxBench

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "metrics" / "answers.yaml").read_text())


def sandbox():
    return SandboxBench().world.metrics, NOON


def real():
    return Prometheus(Direct(MetricsSource("rig", PROMETHEUS)), SystemClock()), round(time.time(), 3)


METRICS = [sandbox, *([pytest.param(real, marks=pytest.mark.rig)] if PROMETHEUS else [])]


@pytest.mark.parametrize("implementation", METRICS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["ask"])
def test_a_question_has_one_answer(case, implementation):
    metrics, at = implementation()

    answer = metrics.query(case["ask"].replace("{at}", f"{at:.3f}"), at)

    if "refuses" in case:
        assert isinstance(answer, NoAnswer)
        assert case["refuses"] in answer.reason
        return
    assert isinstance(answer, Answer)
    assert answer.warnings == ()
    assert [dict(sample.labels) for sample in answer.samples] == [labels for labels, _ in case["gives"]]
    for sample, (_, value) in zip(answer.samples, case["gives"], strict=True):
        wanted = float(value)
        assert sample.value == wanted or (isnan(wanted) and isnan(sample.value))
        assert sample.at == at
    assert answer.newest is None


@pytest.mark.rig
@pytest.mark.skipif(not PROMETHEUS, reason="only a real Prometheus has scraped something")
@pytest.mark.parametrize("expression", ["up", "sum(max_over_time(up[30s]))", "up / up", "up or vector(0)"])
def test_a_real_prometheus_tells_when_its_newest_sample_was_taken(expression):
    metrics, at = real()

    answer = metrics.query(expression, at)

    assert answer.samples
    assert at - 60 < answer.newest <= at
