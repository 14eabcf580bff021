"""`python -m tests.states.keep`: plays runs, breaks some off, and keeps their state files for this version."""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runner import __version__, bootstrap
from runner.conductor.loop import Conductor
from runner.document.playbook import read_playbook
from runner.engine.events import EffectIntended, GateOpened, StageStarted
from runner.journal import JournalFile
from runner.ports import ObjectRef
from tests.fakes.api_server import cluster_of
from tests.prove.patching import patched
from tests.states.kept_runs import HERE, KEPT, REVIEWS, STATE, answers, called

SMALL = HERE.parent / "prove" / "small.yaml"
Until = Callable[[Any], bool]


def keep(folder: Path) -> None:
    """Write the state files of this version, and its answers to them, to *folder*."""
    with _place() as place:
        for name, (arguments, until) in RUNS.items():
            state = place / f"{name}.jsonl"
            _played(["play", *arguments, "--sandbox", "--seed", "7", "--state", str(state)], until)
            for found in (state, state.with_name(f"{state.name}.world")):
                shutil.copy(found, folder)
        _in_a_cluster(place, folder)
    with tempfile.TemporaryDirectory() as scratch:
        ends = {name: answers(folder / name, Path(scratch) / name) for name in runs_in(folder)}
    (folder / "ends.json").write_text(json.dumps(ends, indent=1) + "\n", encoding="utf-8")


def runs_in(folder: Path) -> list[str]:
    """The file that stands for each run of *folder*."""
    objects = [path.name for path in folder.glob("*.objects.json")]
    apart = {name.replace(".objects.json", ".jsonl") for name in objects}
    return sorted([*objects, *(path.name for path in folder.glob("*.jsonl") if path.name not in apart)])


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """Where the runs are played, under a name that says nothing of this machine."""
    place = Path(tempfile.gettempdir()) / "release"
    place.mkdir()
    try:
        for file in (SMALL, *HERE.glob("*.yaml")):
            shutil.copy(file, place)
        (place / "held.yaml").write_text(f"{SMALL.read_text(encoding='utf-8')}onFailure: hold\n")
        with contextlib.chdir(place), patched(bootstrap, who=lambda: "ann@laptop"):
            yield place
    finally:
        shutil.rmtree(place)


def _intends(stage: str) -> Until:
    return lambda event: isinstance(event, EffectIntended) and event.ref.stage == stage


def _begins(stage: str) -> Until:
    return lambda event: isinstance(event, StageStarted) and event.stage == stage


def _never(_: Any) -> bool:
    return False


class Written:
    """Breaks off behind the write of a stage, before it is read back."""

    def __init__(self, stage: str) -> None:
        self.stage = stage


RUNS: dict[str, tuple[list[str], Until | Written]] = {
    "succeeded": (["small.yaml"], _never),
    "rejected": (["small.yaml", "--scenario", "bad.yaml"], _never),
    "until": (["small.yaml", "--until", "look"], _never),
    "held": (["held.yaml", "--scenario", "bad.yaml"], _never),
    "with-everything": (["release.yaml", "--var", "soak=2m"], _never),
    "killed-at-a-gate": (["release.yaml", "--var", "soak=2m"], lambda event: isinstance(event, GateOpened)),
    "killed-in-a-soak": (["release.yaml", "--var", "soak=2m"], _begins("soak")),
    "killed-before-a-shift": (["small.yaml"], _intends("everything")),
    "killed-behind-a-shift": (["small.yaml"], Written("everything")),
    "killed-in-a-rollback": (["small.yaml", "--scenario", "bad.yaml"], _intends("rollback")),
    "killed-behind-a-rollback": (["small.yaml", "--scenario", "bad.yaml"], Written("rollback")),
}


def _played(arguments: list[str], until: Until | Written) -> None:
    """A process that plays, and dies where *until* says."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    with contextlib.suppress(BaseException):
        _armed(until)
        called(*arguments)
    os._exit(0)


def _armed(until: Until | Written) -> None:
    append, prove = JournalFile.append, Conductor._prove

    def appended(self: JournalFile, events: Any) -> list[str]:
        lines = append(self, events)
        if not isinstance(until, Written) and any(until(event) for event in events):
            os.kill(os.getpid(), signal.SIGKILL)
        return lines

    def proven(self: Conductor, write: Any) -> None:
        pending = self.state.rollback.work.pending if self.state.rollback else self.state.unknown[-1]
        if isinstance(until, Written) and pending is not None and pending.ref.stage == until.stage:
            os.kill(os.getpid(), signal.SIGKILL)
        prove(self, write)

    JournalFile.append = appended  # type: ignore[method-assign]
    Conductor._prove = proven  # type: ignore[method-assign]


def _in_a_cluster(place: Path, folder: Path) -> None:
    """A run whose state lies in ConfigMaps, and one whose lost state was rebuilt from the marker."""
    playbook = read_playbook(str(HERE / "in-a-cluster.yaml")).playbook
    play = ("play", "in-a-cluster.yaml", "-y", "--context", "test", "--until", "a little", "--state")
    with cluster_of(playbook, place, time.time()) as (server, kubeconfig):
        called(*play, STATE, PLAY_KUBECONFIG=str(kubeconfig))
        part = ObjectRef("v1", "ConfigMap", "bookinfo", f"{STATE.rpartition('/')[2]}-0000")
        found = [server.world.cluster.get(ref) for ref in (REVIEWS, part)]
        (folder / "in-configmaps.objects.json").write_text(json.dumps(found, indent=1) + "\n")
    with cluster_of(playbook, place, time.time()) as (server, kubeconfig):
        environment = {"PLAY_KUBECONFIG": str(kubeconfig)}
        called(*play, "lost.jsonl", **environment)
        called("adopt", "in-a-cluster.yaml", "--context", "test", "--state", "adopted.jsonl", **environment)
        shutil.copy("adopted.jsonl", folder)
        (folder / "adopted.objects.json").write_text(
            json.dumps([server.world.cluster.get(REVIEWS)], indent=1) + "\n"
        )


if __name__ == "__main__":
    here = KEPT / __version__
    if here.exists():
        sys.exit(f"{here} is there already; what a version has written is never written anew")
    here.mkdir()
    keep(here)
    print(f"kept {len(runs_in(here))} runs in {here}")
