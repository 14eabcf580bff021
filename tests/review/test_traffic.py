"""How much traffic a plan counts with, and how it knows."""

import pytest

from runner.model.scenario import Given, Load, Scenario
from tests.fakes.release import cluster
from tests.fakes.release import playbook as small

from .places import (
    planned,
    planned_at,
    text,
    world_of,
)


def test_traffic_is_read_from_prometheus_where_it_can_be():
    rate = 35.0
    world = world_of(small(), Scenario("busy", given=Given(traffic=(("reviews", Load(rate)),))))

    (load,) = planned(small(), world).loads

    assert load.measured
    assert load.rate == pytest.approx(rate, rel=0.1)


def test_traffic_that_was_said_goes_before_what_is_measured():
    (load,) = planned(small(), world_of(small()), said={"reviews": 7.0}).loads

    assert (load.rate, load.measured) == (7.0, False)


def test_traffic_is_assumed_where_prometheus_does_not_answer():
    plan = planned_at(small(), cluster())

    assert (plan.loads[0].rate, plan.loads[0].why) == (20.0, "nobody answers")
    assert "20/s, assumed: nobody answers" in text(plan)
