"""What a playbook names but does not create: it is assumed to be there, well, and stable at 100.

Every assumption becomes objects of the world and a sentence for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runner.errors import RunnerError
from runner.model.playbook import Playbook, Route
from runner.model.scenario import LATENCY, Load, Scenario
from runner.model.split import Split, canary_split
from runner.model.stages import Apply, KubeObject, Scale, Shift, Stage, Verify
from runner.sandbox.furniture import (
    bare,
    definition,
    deployment,
    destination,
    in_words,
    map_at,
    maps_in,
    split_of,
)
from runner.sandbox.hosts import full_name, service_of
from runner.sandbox.kinds import ISTIO, knows
from runner.sandbox.people import with_weights
from runner.sandbox.setup import Setup, Stream

OURS = "runner"  # an earlier release has made what is assumed
UNNAMED = "stable"  # the stable subset, where neither playbook nor scenario names it
ALWAYS = ("default", "istio-system", "kube-system")

Place = tuple[str, str, str]
"""Kind, namespace and name."""


def assume(playbook: Playbook, scenario: Scenario | None = None) -> tuple[str, ...]:
    """What a world for *playbook* takes for granted, a sentence each."""
    return prepare(playbook, scenario, seed=0, start=0.0).assumptions


def prepare(playbook: Playbook, scenario: Scenario | None, *, seed: int, start: float) -> Setup:
    """The world in which *playbook* is played from Unix time *start* on, with everything assumed.

    RunnerError where *scenario* speaks of a stage or a route that the playbook does not have.
    """
    given = (scenario or Scenario("healthy")).given
    _check_names(playbook, scenario or Scenario("healthy"))
    furnishing = _Furnishing(playbook, scenario or Scenario("healthy"))
    furnishing.furnish()
    return Setup(
        seed=seed,
        start=start,
        streams=tuple(furnishing.streams),
        objects=tuple(furnishing.objects),
        when=(scenario or Scenario("healthy")).when,
        series=given.series,
        scrape=given.scrape,
        namespace=playbook.target.namespace,
        assumptions=tuple(furnishing.said),
    )


def _check_names(playbook: Playbook, scenario: Scenario) -> None:
    """A fault that waits for a stage of another playbook would never come, and nobody would know."""
    stages = [stage.name for stage in (*playbook.stages, *playbook.rollback)]
    routes = [route.name for route in playbook.routes]
    asked = [("stage", when.stage, stages) for when in scenario.when]
    asked += [("route", when.route, routes) for when in scenario.when]
    asked += [("route", route, routes) for route, _ in scenario.given.split]
    for what, name, known in asked:
        if name is not None and name not in known:
            raise RunnerError(
                f'scenario {scenario.name} speaks of {what} "{name}", which playbook {playbook.name} has not',
                hint=f"it has {', '.join(known)}" if known else f"it has no {what}",
            )


@dataclass(slots=True)
class _Furnishing:
    """Objects by place: *there* before the run, *coming* with the playbook."""

    playbook: Playbook
    scenario: Scenario
    there: dict[Place, KubeObject] = field(default_factory=dict)
    coming: dict[Place, KubeObject] = field(default_factory=dict)
    objects: list[tuple[str, KubeObject]] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def furnish(self) -> None:
        """Fill the world."""
        stages = (*self.playbook.stages, *self.playbook.rollback)
        for manifest in _manifests(stages):
            self.coming.setdefault(self._place(manifest), manifest)
        self._namespaces()
        self._definitions()
        for file in self.scenario.given.files:
            self._put(file.object, None, self.scenario.given.manager)
        for route in self.playbook.routes:
            self._route(route)
        self._scaled(stages)
        self._traffic()

    def _namespaces(self) -> None:
        for name in ALWAYS:
            self._put(bare("v1", "Namespace", "", name, {}), None)
        wanted = {self.playbook.target.namespace, *(route.namespace for route in self.playbook.routes)}
        given = {
            ("Namespace", "", str(file.object["metadata"]["name"]))
            for file in self.scenario.given.files
            if file.object["kind"] == "Namespace"
        }
        for name in sorted(wanted - set(ALWAYS)):
            if ("Namespace", "", name) not in {*self.coming, *given}:
                namespace = bare("v1", "Namespace", "", name, {})
                namespace["metadata"]["labels"] = {"istio-injection": "enabled"}
                self._put(namespace, f"namespace {name} exists, with istio-injection=enabled")

    def _definitions(self) -> None:
        """Kinds that the playbook applies and a fresh cluster does not know."""
        manifests = [*self.coming.values(), *(file.object for file in self.scenario.given.files)]
        defined = {map_at(body, "spec", "names").get("kind") for body in manifests}
        unknown = {(body["apiVersion"], body["kind"]) for body in manifests} - {
            (body["apiVersion"], body["kind"])
            for body in manifests
            if knows(body["apiVersion"], body["kind"])
        }
        for api_version, kind in sorted(unknown):
            if kind not in defined:
                said = f"the cluster knows {kind} of {api_version}"
                self._put(definition(api_version, kind), said)

    def _route(self, route: Route) -> None:
        host = self._host(route)
        live = self._live_split(route)
        stable = self._stable(route, live)
        subsets = self._subsets(route, stable, live)
        self._service(route, host)
        self._rule(route, host, subsets, live)
        for subset in subsets:
            self._version(route, host, subset, serving=live is not None and live[subset] > 0)
        if live is not None:
            self._virtual_service(route, host, stable, live)
        self.streams.append(self._stream(route, host, stable))

    def _stable(self, route: Route, live: Split | None) -> str:
        """The stable subset; one that nobody has named is what has the traffic."""
        if route.stable not in ("", UNNAMED) or live is None or UNNAMED in live:
            return route.stable or UNNAMED
        return max(live.weights, key=lambda weight: weight[1])[0]

    def _live_split(self, route: Route) -> Split | None:
        """The split before the run; None where the playbook itself makes the VirtualService."""
        given = dict(self.scenario.given.split).get(route.name)
        place = ("VirtualService", route.namespace, route.virtual_service)
        if given is not None or (place in self.coming and place not in self.there):
            return given
        if place in self.there:
            return split_of(self.there[place])
        return canary_split(self._guessed_stable(route), route.canary, 0)

    def _guessed_stable(self, route: Route) -> str:
        """Where nobody names it: the one other subset of the DestinationRule that defines the canary."""
        if route.stable not in ("", UNNAMED):
            return route.stable
        host = self._host(route)
        rule = self._rule_of(self.there, route, host) or self._rule_of(self.coming, route, host)
        named = [str(subset.get("name")) for subset in maps_in(rule, "spec", "subsets")]
        others = [name for name in named if name != route.canary]
        return others[0] if route.canary in named and len(others) == 1 else UNNAMED

    def _subsets(self, route: Route, stable: str, live: Split | None) -> list[str]:
        shifts = (stage.kind for stage in self.playbook.stages)
        of_route = (kind for kind in shifts if isinstance(kind, Shift) and kind.route == route.name)
        shifted = (subset for kind in of_route for subset in kind.split)
        found = dict.fromkeys((stable, route.canary, *(live or ()), *shifted))
        return [subset for subset in found if subset != UNNAMED or stable == UNNAMED]

    def _host(self, route: Route) -> str:
        """The Service behind a route, as short as its namespace allows."""
        host = route.host or self._destination(route) or route.virtual_service
        place = service_of(full_name(host, route.namespace))
        return place[1] if place and place[0] == route.namespace else host

    def _destination(self, route: Route) -> str | None:
        found = self._any(("VirtualService", route.namespace, route.virtual_service))
        routes = maps_in(found, "spec", "http")
        targets = [map_at(item, "destination") for http in routes for item in maps_in(http, "route")]
        for target in targets:
            if target.get("host") and (target.get("subset") or len(routes) == 1):
                return str(target["host"])
        return None

    def _service(self, route: Route, host: str) -> None:
        place = ("Service", route.namespace, host)
        if self._any(place) is None:
            spec = {"selector": {"app": host}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
            self._put(bare("v1", *place, spec), f"Service {host} selects app={host}")
        elif self._live_split(route) is not None and place not in self.there:
            self._put(self.coming[place], f"Service {host} is there as the playbook has it")

    def _rule(self, route: Route, host: str, subsets: Sequence[str], live: Split | None) -> None:
        """A DestinationRule, unless one is there: with *subsets*, or only the *live* ones where another is coming."""
        coming = self._rule_of(self.coming, route, host)
        if self._rule_of(self.there, route, host) or (coming and live is None):
            return
        named = list(subsets if coming is None else live or ())
        name = coming["metadata"]["name"] if coming else host
        listed = [{"name": subset, "labels": self._labels(route, host, subset)} for subset in named]
        rule = bare(
            f"{ISTIO}/v1", "DestinationRule", route.namespace, name, {"host": host, "subsets": listed}
        )
        self._put(rule, f"DestinationRule {name} defines {', '.join(named)}")

    def _rule_of(self, bodies: Mapping[Place, KubeObject], route: Route, host: str) -> KubeObject | None:
        wanted = full_name(host, route.namespace)
        for (kind, namespace, _), body in bodies.items():
            host_said = str(map_at(body, "spec").get("host", ""))
            if kind == "DestinationRule" and full_name(host_said, namespace) == wanted:
                return body
        return None

    def _labels(self, route: Route, host: str, subset: str) -> Mapping[str, str]:
        """The pod labels that make a subset: as a DestinationRule says, else its version."""
        for bodies in (self.there, self.coming):
            rule = self._rule_of(bodies, route, host)
            for found in maps_in(rule, "spec", "subsets"):
                if found.get("name") == subset:
                    return map_at(found, "labels")
        return {"version": dict(route.labels).get(subset, subset)}

    def _version(self, route: Route, host: str, subset: str, *, serving: bool) -> None:
        """A Deployment whose pods are *subset*."""
        service = self._any(("Service", route.namespace, host))
        labels = {**map_at(service, "spec", "selector"), **self._labels(route, host, subset)}
        if self._deployment_of(self.there, route, labels):
            return
        coming = self._deployment_of(self.coming, route, labels)
        if coming and serving:
            self._put(coming, f"Deployment {coming['metadata']['name']} is there as the playbook has it")
        elif not coming:
            name, replicas = self._deployment_name(host, subset), self._replicas(route)
            body = deployment(route.namespace, name, labels, replicas)
            self._put(body, f"Deployment {name} has {replicas} ready pod{'s' * (replicas != 1)} of {subset}")

    def _deployment_of(
        self, bodies: Mapping[Place, KubeObject], route: Route, labels: Mapping[str, str]
    ) -> KubeObject | None:
        for (kind, namespace, _), body in bodies.items():
            found = map_at(body, "spec", "template", "metadata", "labels")
            if (kind, namespace) == ("Deployment", route.namespace) and labels.items() <= found.items():
                return body
        return None

    def _deployment_name(self, host: str, subset: str) -> str:
        """As a scale stage calls it, where only this route can be meant, else Service and subset."""
        plain = f"{host}-{subset}"
        names = [name for name in self._scale_names(self.playbook.stages) if name.endswith(f"-{subset}")]
        if len(self.playbook.routes) > 1 or plain in names:
            return plain
        return next(iter(names), plain)

    def _replicas(self, route: Route) -> int:
        """As many pods as the versions have that the playbook brings: enough for their share, and no more."""
        bodies = (
            map_at(body, "spec").get("replicas", 1)
            for (kind, namespace, _), body in self.coming.items()
            if kind == "Deployment" and namespace == route.namespace
        )
        return min((number for number in bodies if isinstance(number, int) and number > 0), default=1)

    def _virtual_service(self, route: Route, host: str, stable: str, live: Split) -> None:
        place = ("VirtualService", route.namespace, route.virtual_service)
        given = dict(self.scenario.given.split).get(route.name)
        found = self._any(place)
        if found is None:
            items = [destination(host, subset, live[subset]) for subset in live]
            if len(items) == 1:
                del items[0]["weight"]
            name = {"name": route.http} if isinstance(route.http, str) else {}
            found = bare(f"{ISTIO}/v1", *place, {"hosts": [host], "http": [{**name, "route": items}]})
        elif given is not None:
            named = Stream(route.name, route.namespace, host, Load(), canary=route.canary, stable=stable)
            found = with_weights(found, named, live.as_dict())
        if place not in self.there:
            said = f"VirtualService {route.virtual_service} sends {in_words(live)}"
            self._put(found, said)
        elif given is not None:
            self._replace(place, found)

    def _replace(self, place: Place, body: KubeObject) -> None:
        old = self.there[place]
        self.objects = [(manager, body if found is old else found) for manager, found in self.objects]
        self.there[place] = body

    def _stream(self, route: Route, host: str, stable: str) -> Stream:
        given = self.scenario.given
        load = dict(given.traffic).get(route.name) or dict(given.traffic).get(host) or Load()
        gateways = tuple(
            f"{namespace}/{name}"
            for kind, namespace, name in self.coming
            if kind == "Gateway" and (kind, namespace, name) not in self.there
        )
        self._say_reached(host, load, gateways)
        return Stream(
            name=route.name,
            namespace=route.namespace,
            host=host,
            load=load,
            virtual_service=route.virtual_service,
            http=route.http,
            canary=route.canary,
            stable=stable,
            labels=route.labels,
            latency=dict(given.latency).get(route.name, LATENCY),
            gateways=gateways,
        )

    def _say_reached(self, host: str, load: Load, gateways: Sequence[str]) -> None:
        once = f" once Gateway {gateways[-1].partition('/')[2]} is there" if gateways else ""
        self.said.append(f"{load.rate:g} requests a second reach {host}{once}")

    def _traffic(self) -> None:
        """Requests to Services that no route is about; without any route the playbook's checks say where."""
        known = {name for stream in self.streams for name in (stream.name, stream.host)}
        wanted = {name: load for name, load in self.scenario.given.traffic if name not in known}
        if not self.playbook.routes:
            wanted = dict.fromkeys(self._asked(), Load()) | wanted
        gateways = tuple(f"{place[1]}/{place[2]}" for place in self.coming if place[0] == "Gateway")
        for host, load in wanted.items():
            self._say_reached(host, load, gateways)
            namespace = self.playbook.target.namespace
            self.streams.append(Stream(host, namespace, host, load, virtual_service=host, gateways=gateways))

    def _asked(self) -> Iterator[str]:
        """Services of the playbook that its checks speak of."""
        judged = (stage.kind.checks for stage in self.playbook.stages if isinstance(stage.kind, Verify))
        checks = (*self.playbook.checks, *(check for checks in judged for check in checks))
        text = " ".join(query.text for check in checks for query in check.queries.values())
        for kind, _, name in self.coming:
            if kind == "Service" and f'"{name}' in text:
                yield name

    def _scaled(self, stages: Sequence[Stage]) -> None:
        namespace = self.playbook.target.namespace
        unnamed = {route.name for route in self.playbook.routes if route.stable in ("", UNNAMED)}
        resolved = any(stream.name in unnamed and stream.stable != UNNAMED for stream in self.streams)
        for name in self._scale_names(stages):
            if resolved and name.endswith(f"-{UNNAMED}"):
                continue
            if self._any(("Deployment", namespace, name)) is None:
                body = deployment(namespace, name, {"app": name}, 1)
                self._put(body, f"Deployment {name} has 1 ready pod")

    def _scale_names(self, stages: Sequence[Stage]) -> Iterator[str]:
        for stage in stages:
            if isinstance(stage.kind, Scale):
                yield stage.kind.deployment
                if stage.kind.like:
                    yield stage.kind.like

    def _any(self, place: Place) -> KubeObject | None:
        return self.there.get(place) or self.coming.get(place)

    def _put(self, body: KubeObject, said: str | None, manager: str = OURS) -> None:
        self.there[self._place(body)] = body
        self.objects.append((manager, body))
        if said:
            self.said.append(said)

    def _place(self, body: KubeObject) -> Place:
        kind = str(body["kind"])
        namespace = str(body["metadata"].get("namespace") or self.playbook.target.namespace)
        whole = kind in ("Namespace", "CustomResourceDefinition")
        return kind, "" if whole else namespace, str(body["metadata"]["name"])


def _manifests(stages: Sequence[Stage]) -> Iterator[KubeObject]:
    for stage in stages:
        if isinstance(stage.kind, Apply):
            for manifest in stage.kind.manifests:
                yield manifest.object
