"""The gates of a playbook, and the shortest playbook in which one of them is alone with a bad canary."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runner.model.checks import Check
from runner.model.playbook import Guard, Playbook
from runner.model.scenario import Given
from runner.model.stages import Apply, Manifest, Promote, Shift, Stage, Verify, Wait

GUARD_TIME = 60.0  # seconds that a guard gets beyond its own pace and patience when nothing else takes time


@dataclass(frozen=True, slots=True)
class Gate:
    """One check where it is asked. *stage* is the verify stage, or empty for a guard.

    *route* is the one whose canary it judges; empty where nothing was moved yet, and the check is about a whole
    service, or about versions that it names itself.
    """

    stage: str
    check: Check
    route: str

    @property
    def guard(self) -> bool:
        """Whether it watches every stage rather than one."""
        return not self.stage

    @property
    def title(self) -> str:
        """How a person calls it: `errors at 'verify at 20'`, `guard errors`."""
        return f"guard {self.check.name}" if self.guard else f"{self.check.name} at {self.stage!r}"


@dataclass(frozen=True, slots=True)
class Alone:
    """A playbook cut down to one gate. *bad_from* is the stage with whose start a canary is to turn bad.

    What is applied before anything is moved or scaled is not applied but *there*, and ready.
    """

    playbook: Playbook
    bad_from: str
    until: str
    there: tuple[Manifest, ...] = ()


def gates_of(playbook: Playbook) -> tuple[Gate, ...]:
    """Guards first, then the checks of every verify stage."""
    return (*_guards(playbook), *_verifies(playbook))


def _guards(playbook: Playbook) -> Iterator[Gate]:
    moved = {stage.kind.route for stage in playbook.stages if isinstance(stage.kind, Shift | Promote)}
    for guard in playbook.guards:
        if guard.route in moved:
            yield Gate("", guard.check, guard.route)


def _verifies(playbook: Playbook) -> Iterator[Gate]:
    route = ""
    for stage in playbook.stages:
        match stage.kind:
            case Shift(route=moved) | Promote(route=moved):
                route = moved
            case Verify(checks=checks):
                for check in checks:
                    yield Gate(stage.name, check, route)
            case _:
                pass


def alone(playbook: Playbook, gate: Gate) -> Alone:
    """*playbook* with *gate* as its only gate, and without the waits that have nothing to do with it.

    Windows lie after the last shift, so what passed before it may be left out; what was applied, moved and
    scaled is all there.
    """
    short = _guard_alone(playbook, gate) if gate.guard else _check_alone(playbook, gate)
    if not gate.route:  # which Services have traffic is told by what the playbook applies
        return short
    stages = short.playbook.stages
    first = next(n for n, stage in enumerate(stages) if not isinstance(stage.kind, Apply))
    there: dict[tuple[str, str, str], Manifest] = {}
    for stage in stages[:first]:
        if isinstance(stage.kind, Apply):
            for manifest in stage.kind.manifests:
                if not (stage.kind.if_absent and _identity(manifest) in there):
                    there[_identity(manifest)] = manifest
    return replace(
        short, playbook=replace(short.playbook, stages=stages[first:]), there=tuple(there.values())
    )


def _identity(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest.object.get("metadata", {})
    return str(manifest.object.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name"))


def given_there(given: Given, there: tuple[Manifest, ...]) -> Given:
    """The world *given*, with what is *there* instead of what it had under the same names."""
    names = {_identity(manifest) for manifest in there}
    return replace(given, files=(*(file for file in given.files if _identity(file) not in names), *there))


def _check_alone(playbook: Playbook, gate: Gate) -> Alone:
    last = next(n for n, stage in enumerate(playbook.stages) if stage.name == gate.stage)
    before = playbook.stages[:last]
    shift = _last_change(before)
    kept = [stage for stage in before[: shift + 1] if not isinstance(stage.kind, Verify | Wait)]
    kept += [stage for stage in before[shift + 1 :] if not isinstance(stage.kind, Verify)]
    asked = playbook.stages[last]
    if isinstance(asked.kind, Verify):
        asked = Stage(asked.name, replace(asked.kind, checks=(gate.check,)))
    bad_from = (*before, asked)[shift + 1].name
    kept_names = {stage.name for stage in kept}
    bad_from = bad_from if bad_from in kept_names else asked.name
    return Alone(replace(playbook, guards=(), stages=(*kept, asked), rollback=()), bad_from, asked.name)


def _last_change(before: Sequence[Stage]) -> int:
    """Where the last shift is; where nothing was moved yet, the last that applies anything; else -1."""
    moves = [n for n, stage in enumerate(before) if isinstance(stage.kind, Shift | Promote)]
    return max(moves or [n for n, stage in enumerate(before) if isinstance(stage.kind, Apply)], default=-1)


def _guard_alone(playbook: Playbook, gate: Gate) -> Alone:
    """Up to the first shift that gives the canary traffic, and then a wait that is long enough."""
    guard = next(guard for guard in playbook.guards if guard.check.name == gate.check.name)
    last = next(n for n, stage in enumerate(playbook.stages) if _gives_traffic(stage, playbook, gate.route))
    kept = [stage for stage in playbook.stages[: last + 1] if not isinstance(stage.kind, Verify | Wait)]
    watched = Stage("watched by one guard", Wait(_long_enough(guard)))
    return Alone(
        replace(playbook, guards=(guard,), stages=(*kept, watched), rollback=()), watched.name, watched.name
    )


def _gives_traffic(stage: Stage, playbook: Playbook, route: str) -> bool:
    match stage.kind:
        case Shift(route=moved, split=split):
            return moved == route and bool(split[playbook.route(route).canary])
        case Promote(route=moved):
            return moved == route
        case _:
            return False


def _long_enough(guard: Guard) -> float:
    """Time for its failures in a row, after the window has filled, or for its patience to run out."""
    counting = guard.check.lookback + (guard.failure_limit + 1) * guard.every
    return max(counting, guard.patience + guard.every) + GUARD_TIME
