"""Worlds to try, and short ways to do things in them."""

import json
from dataclasses import replace
from pathlib import Path

import yaml

from runner.engine.events import StageStarted
from runner.model.checks import Bounds, Check, Query
from runner.model.playbook import Playbook, Route, Target
from runner.model.scenario import Scenario
from runner.model.split import canary_split
from runner.model.stages import Apply, Manifest, Shift, Stage, Verify, Wait
from runner.ports import ObjectRef
from runner.sandbox import VirtualClock, World, open_world, prepare

START = 1_767_268_800.0  # 2026-01-01T12:00:00Z
ISTIO = "networking.istio.io/v1"
BOOKINFO = Path(__file__).parents[2] / "playbooks" / "bookinfo"
REVIEWS = Route("reviews", "reviews", "bookinfo", canary="v3", stable="v1")
SHIFT = Stage("shift 80/20", Shift("reviews", canary_split("v1", "v3", 20)))

SERVED = 'sum(rate(istio_requests_total{reporter="source"}[1m])) by (destination_version)'


def playbook(*stages, routes=(REVIEWS,), checks=()):
    """A playbook that moves reviews and creates nothing."""
    return Playbook("small", "1", Target("bookinfo"), routes, (), stages or (SHIFT,), checks=checks)


def manifests(name):
    """The objects of one of Bookinfo's files, in namespace bookinfo."""
    text = (BOOKINFO / name).read_text()
    bodies = [body for body in yaml.safe_load_all(text) if body]
    return tuple(
        Manifest(name, {**body, "metadata": {**body["metadata"], "namespace": "bookinfo"}}) for body in bodies
    )


def bookinfo(*, routed=True):
    """The playbook that brings Bookinfo; with *routed* everything goes to v1."""
    routes = (Stage("routes", Apply(manifests("virtual-services-v1.yaml"))),) if routed else ()
    stages = (
        Stage("apply", Apply(manifests("bookinfo.yaml"))),
        Stage("rules", Apply(manifests("destination-rules.yaml"))),
        *routes,
        Stage("gateway", Apply(manifests("gateway.yaml"))),
    )
    if routed:
        return playbook(*stages, SHIFT)
    check = Check("versions", Query(SERVED + ' + 0 * istio{destination_app="reviews"}', 60.0), Bounds(max=1))
    return playbook(*stages, Stage("see", Verify((check,))), routes=())


def world(*when, given=None, of=None, seed=1, path=None):
    """A world in which *when* goes wrong."""
    scenario = Scenario("tried", when=when)
    if given is not None:
        scenario = replace(scenario, given=given)
    of = of or playbook()
    named = dict.fromkeys(each.stage for each in when if each.stage)
    of = replace(of, stages=(*of.stages, *(Stage(name, Wait(1.0)) for name in named)))
    return open_world(of, scenario, seed=seed, start=START, path=path)


def apply_all(found, of):
    """Apply what *of* applies, in its order, with time for pods to become ready."""
    for stage in of.stages:
        if isinstance(stage.kind, Apply):
            for manifest in stage.kind.manifests:
                found.cluster.apply(manifest.object)
            sleep(found, 10)


def sleep(found, seconds):
    """Let *seconds* pass."""
    found.clock.sleep_until(found.clock.now() + seconds)


def begin(found, stage):
    """A stage of the run starts."""
    found.heard(StageStarted(found.clock.now(), stage, 1))


def get(found, kind, name, api_version=ISTIO, namespace="bookinfo"):
    """An object."""
    return found.cluster.get(ObjectRef(api_version, kind, namespace, name))


def deployment(found, name):
    """A Deployment."""
    return get(found, "Deployment", name, "apps/v1")


def split(found, weights, name="reviews"):
    """Set the weights of a VirtualService as a shift does."""
    body = get(found, "VirtualService", name)
    host = body["spec"]["http"][0]["route"][0]["destination"]["host"]
    route = [{"destination": {"host": host, "subset": s}, "weight": w} for s, w in weights.items()]
    http = [{**body["spec"]["http"][0], "route": route}, *body["spec"]["http"][1:]]
    return found.cluster.replace({**body, "spec": {**body["spec"], "http": http}})


def ask(found, expression):
    """Values by label sets, as ``{(label values): value}``."""
    answer = found.metrics.query(expression, found.clock.now())
    return {tuple(dict(sample.labels).values()): sample.value for sample in answer.samples}


def requests(found, **matchers):
    """The total of istio_requests_total over *matchers*, 0 where there is no series."""
    selector = ",".join(f'{name}="{value}"' for name, value in matchers.items())
    return ask(found, f"sum(istio_requests_total{{{selector}}})").get((), 0.0)


def everything(found):
    """All that can be seen of a world, as text."""
    kinds = [
        ("v1", "Pod"),
        ("v1", "Service"),
        ("apps/v1", "Deployment"),
        (ISTIO, "VirtualService"),
        (ISTIO, "DestinationRule"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
    ]
    objects = [found.cluster.list(*kind, "", {}) for kind in kinds]
    metrics = found.metrics.query('{__name__=~".+"}', found.clock.now())
    return json.dumps(objects) + repr(metrics) + repr(found.tally())


def bare(*bodies, seed=1):
    """A world with namespace bookinfo and *bodies*."""
    setup = replace(prepare(playbook(routes=()), None, seed=seed, start=START), streams=())
    found = World.begin(setup, VirtualClock(START))
    for body in bodies:
        found.cluster.apply(body)
    return found
