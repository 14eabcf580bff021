"""The closed list of stage kinds, and a playbook compiled with it."""

from collections.abc import Callable, Mapping
from types import ModuleType

from runner.engine.program import Program, ProgramStage
from runner.model.playbook import Playbook
from runner.model.stages import Apply, Approve, Promote, Scale, Shift, Stage, Verify, Wait
from runner.ports import Permission
from runner.stages import apply, approve, promote, scale, shift, verify, wait
from runner.stages.needing import to_hold

KINDS: Mapping[type, ModuleType] = {
    Apply: apply,
    Shift: shift,
    Wait: wait,
    Verify: verify,
    Scale: scale,
    Approve: approve,
    Promote: promote,
}
"""Every kind's module: `NAME`, and `compiled`, `says` and `needs` of a kind and its playbook."""


def compile_playbook(run: str, playbook: Playbook) -> Program:
    """The steps of every stage, for the engine."""
    stages = tuple(_compiled(stage, playbook) for stage in playbook.stages)
    return Program(run, playbook, stages, tuple(_compiled(stage, playbook) for stage in playbook.rollback))


def _compiled(stage: Stage, playbook: Playbook) -> ProgramStage:
    compiled: Callable[..., ProgramStage] = KINDS[type(stage.kind)].compiled
    return compiled(stage.name, stage.kind, playbook)


def says(stage: Stage, playbook: Playbook) -> str:
    """What *stage* does, in words for a plan or a screen."""
    text: str = KINDS[type(stage.kind)].says(stage.kind, playbook)
    return text


def needs(playbook: Playbook) -> tuple[Permission, ...]:
    """Everything that a run of *playbook* and its rollback must be allowed to do, each once."""
    wanted: list[Permission] = list(to_hold(playbook))
    for stage in (*playbook.stages, *playbook.rollback):
        wanted.extend(KINDS[type(stage.kind)].needs(stage.kind, playbook))
    return tuple(dict.fromkeys(wanted))
