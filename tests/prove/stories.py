"""The releases that are simulated, and how an undisturbed run of each ends."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from runner.model.checks import Bounds, Check, Query, Ratio
from runner.model.playbook import Guard, OnFailure, Playbook, Route, Target
from runner.model.scenario import Errors, Scenario, When
from runner.model.split import canary_split
from runner.model.stages import Apply, Manifest, Promote, Scale, Shift, Stage, Verify, Wait

NS = "bookinfo"
V1, V3 = {"v1": 100}, {"v3": 100}
SERIES = 'istio_requests_total{destination_app="reviews",destination_canonical_revision="v3"'


def _errors(name: str, bound: float) -> Check:
    bad = Query(f'sum(increase({SERIES},response_code=~"5.."}}[30s]))', 30.0)
    of = Query(f"sum(increase({SERIES}}}[30s]))", 30.0)
    return Check(name, Ratio(bad, of), Bounds(max=bound))


ERRORS = _errors("errors", 0.02)
ROUTE = Route("reviews", "reviews", NS, canary="v3", stable="v1")
GUARD = Guard(_errors("alarm", 0.10), "reviews", every=10.0, failure_limit=1, patience=600.0)


def _shift(share: int) -> Stage:
    return Stage(f"shift to {share}", Shift("reviews", canary_split("v1", "v3", share)))


def _verify(at: int) -> Stage:
    return Stage(f"verify at {at}", Verify((ERRORS,), every=15.0, count=2, patience=900.0))


STAGES = (
    _shift(20),
    Stage("soak", Wait(45.0)),
    _verify(20),
    _shift(100),
    _verify(100),
    Stage("promote", Promote("reviews")),
)
PLAIN = Playbook("plain", "1", Target(NS), (ROUTE,), (GUARD,), STAGES, checks=(ERRORS,))
CONFIG = Manifest(
    "config.yaml",
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "note", "namespace": NS},
        "data": {"words": "hello"},
    },
)
SERVICE = Manifest(
    "virtual-service.yaml",
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": NS},
        "spec": {
            "hosts": ["reviews"],
            "http": [{"route": [{"destination": {"host": "reviews", "subset": "v1"}}], "timeout": "3s"}],
        },
    },
)
BAD = Scenario(
    "bad", when=(When(Errors(0.5), stage="shift to 20", after=5.0, subset="canary", route="reviews"),)
)


@dataclass(frozen=True, slots=True)
class Story:
    """A playbook in a world; *goal* and *code* are how an undisturbed run ends."""

    name: str
    playbook: Playbook
    scenario: Scenario | None
    goal: Mapping[str, int]
    code: int


STORIES = (
    Story("healthy", PLAIN, None, V3, 0),
    Story("bad", PLAIN, BAD, V1, 3),
    Story("unguarded", replace(PLAIN, guards=()), BAD, V1, 3),
    Story("hold", replace(PLAIN, on_failure=OnFailure.HOLD), None, V3, 0),
    Story("applied", replace(PLAIN, stages=(Stage("apply", Apply((CONFIG, SERVICE))), *STAGES)), None, V3, 0),
    Story(
        "steps",
        replace(PLAIN, stages=(_shift(5), _verify(5), _shift(50), _verify(50), *STAGES[3:])),
        None,
        V3,
        0,
    ),
    Story(
        "scaled", replace(PLAIN, stages=(Stage("more", Scale("reviews-v3", replicas=2)), *STAGES)), BAD, V1, 3
    ),
    Story("not promoted", replace(PLAIN, stages=STAGES[:-1]), None, V3, 0),
)
