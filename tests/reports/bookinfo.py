"""The Bookinfo canary as a model, so that reports are tested without documents."""

from dataclasses import replace

from runner.model.checks import Agreement, Bounds, Check, Query, Ratio
from runner.model.playbook import Guard, Playbook, Route, Target
from runner.model.split import canary_split
from runner.model.stages import Apply, Manifest, Promote, Shift, Stage, Verify, Wait

NAMESPACE = "bookinfo"
ROUTE = Route("reviews", "reviews", NAMESPACE, canary="v3", stable="v1")
ERRORS = Check("errors", Ratio(Query("bad", 60.0), Query("of", 60.0)), Bounds(max=0.01))
SERVED = Check("served split", Query("served", 60.0), Agreement("version", 10.0, route="reviews"))
GUARD = Guard(replace(ERRORS, judgement=Bounds(max=0.05)), "reviews", every=10.0)
VERIFY = Verify((ERRORS, SERVED), every=15.0, count=4)


def manifests(*names: str) -> tuple[Manifest, ...]:
    """Objects by kind and name, without content."""
    made = []
    for named in names:
        kind, name = named.split("/")
        made.append(Manifest("bookinfo.yaml", {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}))
    return tuple(made)


def playbook() -> Playbook:
    """Twelve stages: apply three times, then shift, soak and verify up to the promotion."""
    return Playbook(
        name="bookinfo-canary",
        version="1.0.0",
        target=Target(NAMESPACE),
        routes=(ROUTE,),
        guards=(GUARD,),
        checks=(ERRORS, SERVED),
        stages=(
            Stage(
                "apply bookinfo",
                Apply(manifests("Service/reviews", "Deployment/reviews-v1", "Deployment/reviews-v3")),
            ),
            Stage("apply destination rules", Apply(manifests("DestinationRule/reviews"))),
            Stage(
                "everything on v1, then open the gateway",
                Apply(manifests("VirtualService/reviews", "Gateway/bookinfo"), if_absent=True),
            ),
            Stage("shift 80/20", Shift("reviews", canary_split("v1", "v3", 20))),
            Stage("soak", Wait(120.0)),
            Stage("verify at 20", VERIFY),
            Stage("shift 50/50", Shift("reviews", canary_split("v1", "v3", 50))),
            Stage("soak at 50", Wait(120.0)),
            Stage("verify at 50", VERIFY),
            Stage("shift 0/100", Shift("reviews", canary_split("v1", "v3", 100))),
            Stage("verify at 100", VERIFY),
            Stage("promote", Promote("reviews")),
        ),
    )
