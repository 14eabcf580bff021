"""From a rendered and validated tree to the model: total, since everything wrong has been told before."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

from runner.document.durations import seconds
from runner.document.mesh import destination_rules
from runner.document.rules.promql import facts
from runner.document.tree import at
from runner.model.checks import (
    Agreement,
    Allow,
    Bounds,
    Check,
    Comparison,
    Judgement,
    Measure,
    Query,
    Ratio,
    Reduce,
    Verdict,
)
from runner.model.playbook import DAY, Guard, OnFailure, OnInterrupt, Playbook, Route, Target
from runner.model.split import Split, canary_split, split_of
from runner.model.stages import (
    Apply,
    Approve,
    Kind,
    Manifest,
    OnInconclusive,
    OnTimeout,
    Promote,
    Scale,
    Shift,
    Stage,
    Verify,
    Wait,
)

Tree = Mapping[str, Any]
Manifests = Mapping[str, list[dict[str, Any]]]
"""By stage name: `{file, object}` in the order they are applied."""

NO_DATA: Final = {
    "inconclusive": Verdict.INCONCLUSIVE,
    "fail": Verdict.FAILED,
    "pass": Verdict.PASSED,
}
VERSION_LABELS: Final = ("service.istio.io/canonical-revision", "version")
"""Pod labels that Istio's metrics take a version from, the first wins (istio.io, standard metrics)."""


def build(tree: Tree, manifests: Manifests, placeholder: str) -> Playbook:
    """The playbook that *tree* describes; *placeholder* stands for a stable subset that nobody has named."""
    builder = _Builder(tree, manifests, placeholder)
    metadata, target = tree["metadata"], tree["target"]
    return Playbook(
        name=metadata["name"],
        version=metadata.get("version", ""),
        description=metadata.get("description", ""),
        target=Target(target["namespace"], target.get("context"), target.get("prometheus")),
        routes=tuple(builder.routes.values()),
        guards=tuple(builder.guard(said) for said in tree.get("guards", [])),
        stages=tuple(builder.stage(said) for said in tree["stages"]),
        rollback=tuple(builder.stage(said) for said in tree.get("rollback", [])),
        checks=tuple(builder.checks.values()),
        on_failure=OnFailure(tree.get("onFailure", "rollback")),
        on_interrupt=OnInterrupt(tree.get("onInterrupt", "hold")),
        deadline=_seconds(tree, "deadline", DAY),
    )


class _Builder:
    """What stages refer to by name, built first."""

    def __init__(self, tree: Tree, manifests: Manifests, placeholder: str) -> None:
        self.placeholder = placeholder
        self.manifests = manifests
        self.labels = _labels_of_subsets(tree, manifests)
        namespace = tree["target"]["namespace"]
        self.routes = {
            name: self._route(name, said, namespace) for name, said in _named(tree.get("routes", {}))
        }
        self.declared = dict(_named(tree.get("checks", {})))
        self.checks = {name: self._check(name, said) for name, said in self.declared.items()}

    def _route(self, name: str, said: Tree, namespace: str) -> Route:
        subsets = {**self.labels, **said.get("labels", {})}
        return Route(
            name=name,
            virtual_service=said["virtualService"],
            namespace=said.get("namespace", namespace),
            canary=said["canary"],
            stable=said.get("stable", ""),
            http=said.get("http"),
            host=said.get("host"),
            labels=tuple(sorted(subsets.items())),
            gitops=said.get("gitops"),
        )

    def stage(self, said: Tree) -> Stage:
        """One stage; its kind is the one key that names a kind."""
        name = said["name"]
        kind = next((key for key in self.kinds if key in said), "")
        return Stage(name, self.kinds[kind](name, said[kind]))

    @property
    def kinds(self) -> Mapping[str, Callable[[str, Any], Kind]]:
        """How the kind under each key is built from its name and arguments."""
        return {
            "apply": self._apply,
            "shift": self._shift,
            "wait": lambda _, said: Wait(seconds(said)),
            "verify": self._verify,
            "scale": _scale,
            "approve": _approve,
            "promote": lambda _, said: Promote(said["route"], _seconds(said, "ready", 120.0)),
        }

    def _apply(self, name: str, said: Tree) -> Apply:
        manifests = tuple(Manifest(each["file"], each["object"]) for each in self.manifests.get(name, ()))
        return Apply(
            manifests,
            if_absent=said.get("ifAbsent", False),
            take_over=said.get("takeOver"),
            ready=None if said.get("ready") == "none" else _seconds(said, "ready", 300.0),
        )

    def _shift(self, _: str, said: Tree) -> Shift:
        return Shift(
            said["route"],
            self._split(said),
            ready=_seconds(said, "ready", 120.0),
            ignore_capacity=said.get("capacity") == "ignore",
        )

    def _split(self, said: Tree) -> Split:
        if "weights" in said:
            return split_of({subset: int(weight) for subset, weight in said["weights"].items()})
        route = self.routes[said["route"]]
        return canary_split(route.stable or self.placeholder, route.canary, int(said["canary"]))

    def _verify(self, _: str, said: Tree) -> Verify:
        every = _seconds(said, "every", 30.0)
        return Verify(
            tuple(self._used(item) for item in said["checks"]),
            every=every,
            count=max(1, ceil(seconds(said["for"]) / every)) if "for" in said else int(said.get("count", 5)),
            failure_limit=int(said.get("failureLimit", 0)),
            patience=_seconds(said, "patience", 300.0),
            on_inconclusive=OnInconclusive(said.get("onInconclusive", "rollback")),
        )

    def guard(self, said: Tree) -> Guard:
        """One guard."""
        return Guard(
            self._used(said),
            self.routes[said.get("route") or next(iter(self.routes), "")].name,
            every=_seconds(said, "every", 15.0),
            failure_limit=int(said.get("failureLimit", 2)),
            patience=_seconds(said, "patience", 300.0),
            on_inconclusive=OnInconclusive(said.get("onInconclusive", "rollback")),
        )

    def _used(self, said: Any) -> Check:
        """A check by name, the same with another bound, or one written in place."""
        if isinstance(said, str):
            return self.checks[said]
        if "check" not in said:
            return self._check(said.get("name", "check"), said)
        bounds = {key: said[key] for key in ("max", "min", "between") if key in said}
        return self._check(said["check"], {**self.declared[said["check"]], **bounds})

    def _check(self, name: str, said: Tree) -> Check:
        measure = _measure(said)
        return Check(
            name,
            measure,
            measure if isinstance(measure, Comparison) else self._judgement(said),
            no_data=NO_DATA[said.get("noData", "inconclusive")],
            reduce=Reduce(said["reduce"]) if "reduce" in said else None,
            unit=said.get("unit", ""),
            allow_warnings=tuple(said.get("allowWarnings", ())),
        )

    def _judgement(self, said: Tree) -> Judgement:
        if "split" not in said:
            low, high = said.get("between", (said.get("min"), said.get("max")))
            return Bounds(min=low, max=high)
        split = said["split"]
        route, expect = split.get("route"), split.get("expect")
        return Agreement(
            split["by"],
            float(split.get("tolerance", 10)),
            route=route,
            expect=split_of({name: int(share) for name, share in expect.items()}) if expect else None,
            labels=self.routes[route].labels if route else tuple(sorted(self.labels.items())),
        )


def _measure(said: Tree) -> Measure:
    if "query" in said:
        return _query(said["query"])
    least = int(said.get("minSamples", 30))
    if "ratio" in said:
        return _ratio(said["ratio"], least)
    compare = said["compare"]
    allowed = compare.get("allow", "0.5pt")
    points = allowed.endswith("pt")
    return Comparison(
        _ratio(compare["canary"], least),
        _ratio(compare["stable"], least),
        Allow.POINTS if points else Allow.RELATIVE,
        float(allowed.removesuffix("pt").removesuffix("%")) / 100,
        compare.get("confidence", 0.95),
    )


def _ratio(said: Tree, least: int) -> Ratio:
    return Ratio(_query(said["bad"]), _query(said["of"]), least)


def _query(text: str) -> Query:
    found = facts(text)
    return Query(text, 0.0 if isinstance(found, str) else found.reach or 0.0)


def _scale(_: str, said: Tree) -> Scale:
    replicas = said.get("replicas")
    return Scale(
        said["deployment"],
        replicas=None if replicas is None else int(replicas),
        like=said.get("like"),
        ready=_seconds(said, "ready", 300.0),
    )


def _approve(_: str, said: Tree) -> Approve:
    return Approve(
        said["message"], _seconds(said, "timeout", 3600.0), OnTimeout(said.get("onTimeout", "rollback"))
    )


def _labels_of_subsets(tree: Tree, manifests: Manifests) -> dict[str, str]:
    """The version label of a subset's pods, where the playbook applies the DestinationRule itself."""
    names = [said["name"] for said in tree["stages"]]
    applied = {index: manifests[name] for index, name in enumerate(names) if name in manifests}
    found: dict[str, str] = {}
    for rule in destination_rules(applied):
        for subset, labels in rule.subsets.items():
            value = next((labels[key] for key in VERSION_LABELS if key in labels), None)
            if value is not None and value != subset:
                found[subset] = value
    return found


def _named(found: Tree) -> list[tuple[str, Any]]:
    return [(name, said) for name, said in found.items() if not name.startswith("x-")]


def _seconds(said: Tree, key: str, default: float) -> float:
    text = at(said, (key,))
    return default if text is None else seconds(text)
