"""What gets traffic, or is written down, before anybody has decided that it should."""

from collections.abc import Iterator
from typing import Final

from runner.document.draft import Draft
from runner.document.mesh import Pods, destination_rules, pods, virtual_services
from runner.document.tree import at
from runner.document.variables import declared
from runner.errors import Diagnostic
from runner.secrecy import sounds_secret


def before_control(draft: Draft) -> Iterator[Diagnostic]:
    """A new version behind an old Service shares its traffic until a VirtualService says otherwise."""
    services, rules, found = (
        virtual_services(draft.manifests),
        destination_rules(draft.manifests),
        pods(draft.manifests),
    )
    for route in draft.routes.values():
        name, canary = route.body.get("virtualService"), route.body.get("canary")
        pinned = min((each.stage for each in services if each.name == name), default=None)
        labels = next((rule.subsets[str(canary)] for rule in rules if str(canary) in rule.subsets), None)
        if not route.sound or pinned is None or not labels:
            continue
        for workload in found:
            if workload.kind == "Deployment" and workload.stage < pinned and _has(workload, labels):
                if any(_selected(workload, service) for service in found if service.stage <= workload.stage):
                    continue  # the Service is as new as its pods: nobody uses it yet
                message = (
                    f'Deployment "{workload.name}" gets its share of traffic before a stage pins the route'
                )
                hint = f'apply VirtualService "{name}" with everything on stable first'
                yield draft.warn("RUN615", message, ("stages", workload.stage, "apply", "files"), hint=hint)


def _has(workload: Pods, labels: object) -> bool:
    return isinstance(labels, dict) and labels.items() <= workload.labels.items()


def _selected(workload: Pods, service: Pods) -> bool:
    return (
        service.kind == "Service"
        and service.namespace == workload.namespace
        and bool(service.labels)
        and service.labels.items() <= workload.labels.items()
    )


def nowhere_to_ask(draft: Draft) -> Iterator[Diagnostic]:
    """Checks without a Prometheus are never answered on a cluster."""
    target = draft.tree.get("target")
    if draft.every_use and isinstance(target, dict) and "prometheus" not in target:
        hint = "target: {prometheus: NAME or URL}, or give --prometheus"
        yield draft.warn(
            "RUN616", "checks are asked, and no Prometheus is named", ("target",), on_key=True, hint=hint
        )


def secret_variables(draft: Draft) -> Iterator[Diagnostic]:
    """Variables are recorded in the state file, in full."""
    for name in declared(draft.document):
        if sounds_secret(name) and at(draft.document.tree, ("vars", name)) is not None:
            message = (
                f'the variable "{name}" sounds like a secret, and variables are recorded in the state file'
            )
            hint = "keep secrets in the cluster, and name them only"
            yield draft.warn("RUN214", message, ("vars", name), on_key=True, hint=hint)


RULES: Final = (before_control, nowhere_to_ask, secret_variables)
