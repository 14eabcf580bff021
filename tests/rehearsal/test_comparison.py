"""A comparison through the sandbox's mesh, scrapes and PromQL; `tests/bench/comparison.py` plays thousands more."""

import pytest

from tests.bench.comparison import Trial, regressions, rejections

FEW = 60


@pytest.mark.parametrize("share", [20, 50])
def test_hardly_any_good_canary_is_rejected(share):
    assert rejections(Trial(0.01, 0.01, share, 20), FEW) <= 0.05


@pytest.mark.parametrize("looks", [1, 5])
def test_a_regression_is_rejected_about_as_often_as_forecast(looks):
    trial = next(t for t in regressions() if (t.base, t.bad, t.share, t.looks) == (0.01, 0.05, 20, looks))

    assert rejections(trial, FEW) == pytest.approx(trial.forecast, abs=0.15)
