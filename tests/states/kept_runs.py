"""What a kept state file is held to: how the commands answer to a copy of it."""

import contextlib
import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.cli.entry import run
from runner.document.playbook import read_playbook
from runner.ports import ObjectRef
from tests.fakes.api_server import Server, cluster_of
from tests.fakes.environment import set_to

HERE = Path(__file__).parent
KEPT = HERE / "kept"
COMMANDS = ("status", "runs", "resume", "rollback")
STATE = "configmap:bookinfo/kept"
REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", "bookinfo", "reviews")


def called(*arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed as its result."""
    said, told = io.StringIO(), io.StringIO()
    with set_to(**environment), contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        code = run(list(arguments))
    if "a bug of its own" in told.getvalue():
        raise AssertionError(told.getvalue())
    return code, said.getvalue()


def answers(kept: Path, folder: Path) -> dict[str, Any]:
    """How the commands answer to *kept*, a state file or the objects of a cluster; each has a copy in *folder*."""
    found: dict[str, Any] = {}
    for command in COMMANDS:
        place = folder / command
        place.mkdir(parents=True)
        found[command] = (_in_cluster if kept.name.endswith(".objects.json") else _here)(kept, place, command)
    return found


def _here(kept: Path, folder: Path, command: str) -> dict[str, Any]:
    state = folder / ".runner" / "runs" / kept.name
    state.parent.mkdir(parents=True)
    for name in (kept.name, f"{kept.name}.world"):
        shutil.copy(kept.with_name(name), state.with_name(name))
    return _answer(command, str(state), folder)


def _in_cluster(kept: Path, folder: Path, command: str) -> dict[str, Any]:
    with restored(kept, folder) as kubeconfig:
        lines = kept.with_name(kept.name.replace(".objects.json", ".jsonl"))
        state = str(shutil.copy(lines, folder)) if lines.exists() else STATE
        return _answer(command, state, folder, PLAY_KUBECONFIG=str(kubeconfig))


@contextlib.contextmanager
def restored(kept: Path, folder: Path) -> Iterator[Path]:
    """A cluster with the objects that lie in *kept*, and the kubeconfig that leads there."""
    playbook = read_playbook(str(HERE / "in-a-cluster.yaml")).playbook
    with cluster_of(playbook, folder, time.time()) as (server, kubeconfig):
        for item in json.loads(kept.read_text(encoding="utf-8")):
            _put(server, item)
        yield kubeconfig


def _put(server: Server, item: dict[str, Any]) -> None:
    """An object as it was, but for what only the server that had it can know."""
    known = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
    metadata = {name: value for name, value in item["metadata"].items() if name not in known}
    registry, now = server.world.registry, server.world.present()
    if item["kind"] == "VirtualService":
        found = server.world.cluster.get(REVIEWS)
        assert found is not None
        registry.update(
            now, {**found, "metadata": {**found["metadata"], **metadata}, "spec": item["spec"]}, "runner"
        )
    else:
        registry.create(now, {**item, "metadata": metadata}, "runner")


def _answer(command: str, state: str, folder: Path, **environment: str) -> dict[str, Any]:
    """The exit code and the split that the run is at, by its own account."""
    with contextlib.chdir(folder):
        match command:
            case "runs":
                code, said = called("runs", "-o", "json")
                return {"code": code, "runs": [told["run"] for told in json.loads(said)["runs"]]}
            case "status":
                code, said = called("status", state, "-o", "json", **environment)
            case _:
                code, _ = called(command, state, "-y", "-o", "jsonl", **environment)
                _, said = called("status", state, "-o", "json", **environment)
    told = json.loads(said)
    return {"code": code, "outcome": told["outcome"], "splits": told["splits"]}
