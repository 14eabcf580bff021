"""Which queries on Istio's metrics count a request twice."""

import pytest

from runner.document import validate

DURATION = "istio_request_duration_milliseconds"
TWICE = [
    "sum(rate(istio_requests_total{app='v2'}[1m]))",
    f"sum(increase({DURATION}_count{{app='v2'}}[1m]))",
    "sum(rate(istio_requests_total{app='v2'}[1m])) * 60",
]
ONCE = [
    "sum(rate(istio_requests_total{app='v2',reporter='source'}[1m]))",
    "sum(rate(istio_requests_total{app='v2',reporter=~'source|waypoint'}[1m]))",
    "sum(rate(istio_requests_total{app='v2'}[1m])) by (reporter)",
    "sum(rate(istio_requests_total{app='v2',code='500'}[1m])) / sum(rate(istio_requests_total{app='v2'}[1m]))",
    f"histogram_quantile(0.9, sum(rate({DURATION}_bucket{{app='v2'}}[1m])) by (le))",
    "max(rate(istio_requests_total{app='v2'}[1m]))",
    "sum(rate(orders_total{app='v2'}[1m]))",
]


@pytest.fixture
def warned(tmp_path, playbook):
    def codes(check):
        file = tmp_path / "playbook.yaml"
        file.write_text(playbook(f"checks:\n  errors: {check}\n"))
        found = [each for each in validate(file) if each.code == "RUN520"]
        return [each.message for each in found]

    return codes


@pytest.mark.parametrize("query", TWICE)
def test_a_sum_over_both_sides_is_warned_of(warned, query):
    assert warned(f'{{query: "{query}", max: 3}}') == [
        'the check "errors" counts a request twice where both sides have a proxy'
    ]


@pytest.mark.parametrize("query", ONCE)
def test_what_counts_once_or_stays_the_same_doubled_is_not(warned, query):
    assert warned(f'{{query: "{query}", max: 3, reduce: max}}') == []


def test_a_comparison_is_as_sure_as_its_counts(warned):
    side = "{{bad: \"sum(increase(istio_requests_total{{v='{0}',c='5'}}[1m]))\", of: \"sum(increase(istio_requests_total{{v='{0}'}}[1m]))\"}}"
    compare = f"{{compare: {{canary: {side.format('v2')}, stable: {side.format('v1')}}}}}"

    assert len(warned(compare)) == 4


def test_the_value_of_a_ratio_stays(warned):
    ratio = "{bad: \"sum(increase(istio_requests_total{v='v2',c='5'}[1m]))\", of: \"sum(increase(istio_requests_total{v='v2'}[1m]))\"}"

    assert warned(f"{{ratio: {ratio}, max: 0.01}}") == []
