"""What a run that did not end well leaves certain, and what nobody can know from its record."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from runner.engine.events import EffectIntended
from runner.model.playbook import Route
from runner.reports.figures import clock, duration
from runner.reports.view import RunView
from runner.reports.wording import one_line, weights

OTHERS = "what others have changed since"


def certain(view: RunView, zone: tzinfo | None) -> str:
    """The split of every moved route as it was last read back, and how long before the end."""
    routes = view.playbook.routes if view.playbook else ()
    moved = {move.route for move in view.moves}
    known = [_read(view, route, zone) for route in routes if route.name in moved]
    none = "this run had moved no traffic before" if view.unsure else "this run has moved no traffic"
    return ", ".join(known) or none


def _read(view: RunView, route: Route, zone: tzinfo | None) -> str:
    said = f"{one_line(route.name)} was at {weights(view.splits[route.name])}"
    at = view.read.get(f"{route.namespace}/{route.virtual_service}")
    if at is None:
        return said
    end, last = (view.ended, "the end") if view.ended is not None else (view.at, "its last record")
    before = f", {duration(end - at)} before {last}" if end - at >= 1 else ""
    return f"{said} when it was read back at {clock(at, zone)}{before}"


def unknown(view: RunView) -> str:
    """Writes whose outcome is not recorded, and the world since."""
    return "; ".join((*(_open(view, intent) for intent in view.open.values()), OTHERS))


def _open(view: RunView, intent: EffectIntended) -> str:
    split = intent.want.get("split")
    what = f"written {intent.ref.kind}/{intent.ref.name}"
    if isinstance(split, Mapping):
        shares = " / ".join(f"{subset} {weight}" for subset, weight in split.items() if weight)
        what = f"set {_route(view, intent)}to {shares}"
    return f"whether {one_line(intent.ref.stage)} has {one_line(what)}"


def _route(view: RunView, intent: EffectIntended) -> str:
    routes: Iterator[str] = (
        f"{route.name} "
        for route in (view.playbook.routes if view.playbook else ())
        if (route.namespace, route.virtual_service) == (intent.ref.namespace, intent.ref.name)
    )
    return next(routes, "")
