"""`promote`: the canary is the new stable; it gets everything, and the automatic way back closes."""

from runner.engine.program import Await, Change, ProgramStage, SetSplit, SubsetsReady
from runner.model.playbook import Playbook
from runner.model.split import split_of
from runner.model.stages import Promote
from runner.ports import Permission
from runner.stages.needing import to_move

NAME = "promote"


def compiled(name: str, kind: Promote, playbook: Playbook) -> ProgramStage:
    """What a shift to the canary would do, marked as the new safe split."""
    route = playbook.route(kind.route)
    split = split_of({route.canary: 100})
    steps = (
        Await(SubsetsReady(kind.route, split), kind.ready),
        Change(
            SetSplit(kind.route, split, promote=True),
            "VirtualService",
            route.namespace,
            route.virtual_service,
        ),
    )
    return ProgramStage(name, NAME, steps, moves=kind.route, promotes=kind.route)


def needs(kind: Promote, playbook: Playbook) -> tuple[Permission, ...]:
    """To move its route."""
    return tuple(to_move(playbook.route(kind.route)))


def says(kind: Promote, playbook: Playbook) -> str:
    """For a plan."""
    return f"{playbook.route(kind.route).canary} is the new stable of {kind.route}"
