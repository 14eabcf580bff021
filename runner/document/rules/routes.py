"""Routes: known where named, used where declared, and clear about which http route they mean."""

from collections.abc import Iterator
from typing import Final

from runner.document.draft import Draft
from runner.document.suggest import did_you_mean, quoted
from runner.document.tree import Path
from runner.errors import Diagnostic


def known(draft: Draft) -> Iterator[Diagnostic]:
    """Every route that is named is declared."""
    for path, name in _named(draft):
        if name not in draft.routes and isinstance(draft.tree.get("routes", {}), dict):
            declared = list(draft.routes)
            hint = did_you_mean(name, declared) or (
                f"declared are {quoted(declared)}" if declared else "declare it under routes"
            )
            yield draft.say("RUN405", f'there is no route "{name}"', path, hint=hint)


def used(draft: Draft) -> Iterator[Diagnostic]:
    """A route that nothing moves, watches or compares."""
    named = {name for _, name in _named(draft)}
    for route in draft.routes.values() if draft.whole else ():
        if route.name not in named and not (draft.guards and len(draft.routes) == 1):
            message = f'no stage moves the route "{route.name}"'
            yield draft.warn("RUN406", message, route.path, on_key=True, hint="shift it, or take it out")


def two_versions(draft: Draft) -> Iterator[Diagnostic]:
    """A canary that is the stable version is no canary."""
    for route in draft.routes.values():
        stable, canary = route.body.get("stable"), route.body.get("canary")
        if route.sound and stable is not None and stable == canary:
            message = f'stable and canary of the route "{route.name}" are both "{canary}"'
            yield draft.say("RUN407", message, (*route.path, "canary"))


def own_http_route(draft: Draft) -> Iterator[Diagnostic]:
    """Two routes that move the same weights would undo each other."""
    seen: dict[tuple[object, ...], str] = {}
    for route in draft.routes.values():
        if not route.sound:
            continue
        key = tuple(route.body.get(name) for name in ("namespace", "virtualService", "http"))
        first = seen.setdefault(key, route.name)
        if first != route.name:
            message = f'the routes "{first}" and "{route.name}" are the same http route'
            hint = "say which http route each means: http: NAME"
            yield draft.say("RUN408", message, (*route.path, "virtualService"), hint=hint)


def guards_have_one(draft: Draft) -> Iterator[Diagnostic]:
    """A guard watches one canary."""
    for guard in draft.guards:
        if "route" in guard.body or len(draft.routes) == 1:
            continue
        if draft.routes:
            message, hint = (
                "this guard does not say which route it watches",
                f"route: one of {quoted(draft.routes)}",
            )
        else:
            message, hint = "there is no route whose canary this guard could watch", "declare it under routes"
        yield draft.say("RUN409", message, guard.path, hint=hint)


def _named(draft: Draft) -> Iterator[tuple[Path, str]]:
    for stage in draft.stages:
        if stage.kind in {"shift", "promote"} and isinstance(stage.body.get("route"), str):
            yield (*stage.body_path, "route"), stage.body["route"]
    for guard in draft.guards:
        if isinstance(guard.body.get("route"), str):
            yield (*guard.path, "route"), guard.body["route"]
    for check in draft.checks.values():
        split = check.body.get("split")
        if isinstance(split, dict) and isinstance(split.get("route"), str):
            yield (*check.path, "split", "route"), split["route"]
    for use in draft.every_use:
        if (
            use.check is not None
            and use.check.declared is None
            and isinstance(use.check.body.get("split"), dict)
        ):
            route = use.check.body["split"].get("route")
            if isinstance(route, str):
                yield (*use.path, "split", "route"), route


RULES: Final = (known, used, two_versions, own_http_route, guards_have_one)
