"""`verify`: measurements are taken and judged, each check alone."""

from runner.engine.program import Judge, ProgramStage
from runner.model.playbook import Playbook
from runner.model.stages import Verify
from runner.ports import Permission

NAME = "verify"


def compiled(name: str, kind: Verify, playbook: Playbook) -> ProgramStage:
    """One step; when each measurement is due is the engine's to say."""
    del playbook
    step = Judge(kind.checks, kind.every, kind.count, kind.failure_limit, kind.patience, kind.on_inconclusive)
    return ProgramStage(name, NAME, (step,))


def needs(kind: Verify, playbook: Playbook) -> tuple[Permission, ...]:
    """Nothing of the cluster."""
    del kind, playbook
    return ()


def says(kind: Verify, playbook: Playbook) -> str:
    """For a plan."""
    del playbook
    names = ", ".join(check.name for check in kind.checks)
    return f"verify {names}: {kind.count} times, every {kind.every:.0f} s"
