"""`wait`: time passes while the guards watch."""

from runner.engine.program import Elapse, ProgramStage
from runner.model.playbook import Playbook
from runner.model.stages import Wait
from runner.ports import Permission

NAME = "wait"


def compiled(name: str, kind: Wait, playbook: Playbook) -> ProgramStage:
    """One step."""
    del playbook
    return ProgramStage(name, NAME, (Elapse(kind.duration),))


def needs(kind: Wait, playbook: Playbook) -> tuple[Permission, ...]:
    """Nothing of the cluster."""
    del kind, playbook
    return ()


def says(kind: Wait, playbook: Playbook) -> str:
    """For a plan."""
    del playbook
    return f"wait {kind.duration:.0f} s"
