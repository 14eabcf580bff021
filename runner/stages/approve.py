"""`approve`: a person answers a gate."""

from runner.engine.program import Gate, ProgramStage
from runner.model.playbook import Playbook
from runner.model.stages import Approve
from runner.ports import Permission

NAME = "approve"


def compiled(name: str, kind: Approve, playbook: Playbook) -> ProgramStage:
    """One step."""
    del playbook
    return ProgramStage(name, NAME, (Gate(kind.message, kind.timeout, kind.on_timeout),))


def needs(kind: Approve, playbook: Playbook) -> tuple[Permission, ...]:
    """Nothing of the cluster."""
    del kind, playbook
    return ()


def says(kind: Approve, playbook: Playbook) -> str:
    """For a plan."""
    del playbook
    return f"ask: {kind.message}"
