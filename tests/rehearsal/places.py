"""Worlds for rehearsals, and a small release to rehearse in them."""

from dataclasses import replace

from runner.bootstrap import rehearsing
from runner.model.checks import Agreement, Bounds, Check, Query, Ratio
from runner.model.playbook import Guard, Playbook, Route, Target
from runner.model.split import canary_split
from runner.model.stages import Promote, Shift, Stage, Verify, Wait

CANARY = 'destination_app="reviews",destination_canonical_revision="v3"'
ROUTE = Route("reviews", "reviews", "bookinfo", canary="v3", stable="v1")


def errors(selector=CANARY, *, bad='response_code=~"5.."', highest=0.01, window="1m", **options):
    """The ratio of errors of what *selector* selects."""
    return Check(
        "errors",
        Ratio(
            Query(f"sum(increase(istio_requests_total{{{selector},{bad}}}[{window}]))", 60.0),
            Query(f"sum(increase(istio_requests_total{{{selector}}}[{window}]))", 60.0),
        ),
        Bounds(max=highest),
        **options,
    )


def served(by="destination_canonical_revision", tolerance=10):
    """The served split against the weights."""
    text = f'sum(irate(istio_requests_total{{destination_app="reviews"}}[1m])) by ({by})'
    return Check("served split", Query(text, 60.0), Agreement(by=by, tolerance=tolerance, route="reviews"))


def query(text, name="value", **options):
    """A query with bounds."""
    bounds = Bounds(min=options.pop("lowest", None), max=options.pop("highest", None))
    return Check(name, Query(text, 60.0), bounds, **options)


def playbook(*checks, guards=None, **changes):
    """Reviews from v1 to v3 at 20 and 50 percent, every *check* at both."""
    checks = checks or (errors(), served())
    if guards is None:
        guards = (Guard(replace(checks[0], name="alarm"), "reviews", every=10.0),)
    stages = (
        Stage("shift 80/20", Shift("reviews", canary_split("v1", "v3", 20))),
        Stage("soak", Wait(120.0)),
        Stage("verify at 20", Verify(checks, every=15.0, count=4)),
        Stage("shift 50/50", Shift("reviews", canary_split("v1", "v3", 50))),
        Stage("verify at 50", Verify(checks, every=15.0, count=4)),
        Stage("shift 0/100", Shift("reviews", canary_split("v1", "v3", 100))),
        Stage("promote", Promote("reviews")),
    )
    plain = Playbook("small", "1", Target("bookinfo"), (ROUTE,), tuple(guards), stages, checks=checks)
    return replace(plain, **changes)


open_place = rehearsing(seed=1)

__all__ = ["errors", "open_place", "playbook", "query", "served"]
