"""Make before break: subsets are defined before anything routes to them, and one VirtualService has a host.

Istio configures DestinationRules and VirtualServices apart; a proxy that routes to a subset it does not know
answers 503 (istio.io, traffic management best practices).
"""

from collections.abc import Iterator
from typing import Any, Final

from runner.document.draft import Draft, Part, StageDraft
from runner.document.mesh import Rule, Service, destination_rules, full_host, virtual_services
from runner.document.rules.moves import moves, stable_of
from runner.document.tree import at
from runner.errors import Diagnostic


def applied_routes(draft: Draft) -> Iterator[Diagnostic]:
    """An applied VirtualService names subsets that are declared, and declared by then."""
    rules = destination_rules(draft.manifests)
    for service in virtual_services(draft.manifests):
        path = ("stages", service.stage, "apply", "files")
        for host, subset in dict.fromkeys(service.targets):
            before, after = _around(rules, host, (service.stage, service.order))
            if before and subset not in before[-1].subsets:
                yield draft.say("RUN610", _undeclared(subset, before[-1]), path, hint=_known(before[-1]))
            elif not before and after and subset in after[0].subsets:
                message = f"{service.file} routes to subsets that {after[0].file} defines only later"
                hint = "apply DestinationRules first: until then the answers are 503"
                yield draft.warn("RUN611", message, path, hint=hint)
                break


def shifted_routes(draft: Draft) -> Iterator[Diagnostic]:
    """A shift weighs subsets that are declared, and declared by then."""
    rules = destination_rules(draft.manifests)
    for move in moves(draft):
        if move.by_apply:
            continue
        host = _host(draft, move.route)
        before, after = _around(rules, host, (move.number, 0))
        for subset in move.after:
            if subset == stable_of(move.route) and "stable" not in move.route.body:
                continue
            if before and subset not in before[-1].subsets:
                hint = _known(before[-1])
                yield draft.say(
                    "RUN610", _undeclared(subset, before[-1]), _weights(move.stage, subset), hint=hint
                )
            elif not before and after and subset in after[0].subsets:
                later = draft.stages[after[0].stage].name
                message = f'the subset "{subset}" is defined only later, by stage "{later}"'
                hint = "apply the DestinationRule before the first shift"
                yield draft.say("RUN612", message, _weights(move.stage, subset), hint=hint)
                break


def taken_for_granted(draft: Draft) -> Iterator[Diagnostic]:
    """What no stage applies must be in the cluster already: a shift never creates it."""
    services, rules = virtual_services(draft.manifests), destination_rules(draft.manifests)
    for route, stage in _first_moves(draft):
        name, namespace = str(route.body["virtualService"]), _namespace(draft, route)
        mine = [each for each in services if (each.name, each.namespace) == (name, namespace)]
        if mine and all(each.stage > stage.path[1] for each in mine):  # type: ignore[operator]  # an index
            later = draft.stages[mine[0].stage].name
            message = f'VirtualService "{name}" is applied only later, by stage "{later}"'
            yield draft.say(
                "RUN612", message, stage.body_path, on_key=True, hint="apply it before the first shift"
            )
            continue
        ruled = any(rule.host == _host(draft, route) for rule in rules)
        missing = [f'VirtualService "{name}"'] * (not mine) + [f'a DestinationRule for "{name}"'] * (
            not ruled
        )
        if missing:
            them = "them" if len(missing) > 1 else "it"
            message = (
                f"{' and '.join(missing)} must be in the cluster already: no stage before applies {them}"
            )
            yield draft.warn(
                "RUN613", message, (*route.path, "virtualService"), hint="a shift never creates it"
            )


def _first_moves(draft: Draft) -> Iterator[tuple[Part, StageDraft]]:
    for route in draft.routes.values():
        stage = next(
            (s for s in draft.stages if s.kind in {"shift", "promote"} and s.body.get("route") == route.name),
            None,
        )
        if stage is not None and route.sound and stage.sound and _all_gathered(draft):
            yield route, stage


def _all_gathered(draft: Draft) -> bool:
    """Whether every apply stage's manifests could be read; else nothing can be said of what is missing."""
    applying = {stage.path[1] for stage in draft.stages if stage.kind == "apply"}
    return applying <= set(draft.manifests)


def one_service_a_host(draft: Draft) -> Iterator[Diagnostic]:
    """Sidecars do not merge two VirtualServices of one host: one of them is ignored."""
    seen: dict[str, Service] = {}
    for service in virtual_services(draft.manifests):
        for host in sorted(service.hosts):
            first = seen.setdefault(host, service)
            if (first.name, first.namespace) != (service.name, service.namespace):
                message = (
                    f'the VirtualServices "{first.name}" and "{service.name}" are both for the host {host}'
                )
                hint = f"they are in {first.file} and {service.file}; keep one"
                yield draft.say("RUN614", message, ("stages", service.stage, "apply", "files"), hint=hint)


def _around(rules: list[Rule], host: str, moment: tuple[int, int]) -> tuple[list[Rule], list[Rule]]:
    mine = [rule for rule in rules if rule.host == host]
    before = [rule for rule in mine if (rule.stage, rule.order) < moment]
    return before, [rule for rule in mine if (rule.stage, rule.order) >= moment]


def _host(draft: Draft, route: Part) -> str:
    """The host whose subsets the route weighs: said, or as its VirtualService has it, or of the same name."""
    namespace = _namespace(draft, route)
    if isinstance(route.body.get("host"), str):
        return full_host(route.body["host"], namespace)
    name = str(route.body["virtualService"])
    targets: tuple[tuple[str, str], ...] = next(
        (s.targets for s in virtual_services(draft.manifests) if (s.name, s.namespace) == (name, namespace)),
        (),
    )
    return targets[0][0] if targets else full_host(name, namespace)


def _namespace(draft: Draft, route: Part) -> str:
    return str(route.body.get("namespace") or at(draft.tree, ("target", "namespace"), ""))


def _undeclared(subset: str, rule: Rule) -> str:
    return f'DestinationRule "{rule.name}" in {rule.file} declares no subset "{subset}"'


def _known(rule: Rule) -> str:
    return f"it declares {', '.join(rule.subsets) or 'none'}"


def _weights(stage: StageDraft, subset: str) -> tuple[Any, ...]:
    weights = stage.body.get("weights")
    if isinstance(weights, dict):
        return (*stage.body_path, "weights", subset)
    return (*stage.body_path, "canary")


RULES: Final = (applied_routes, shifted_routes, taken_for_granted, one_service_a_host)
