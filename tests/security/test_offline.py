"""What is offline reaches nothing, starts nothing, reads and writes only what it was given: on a hostile repository."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.cli.commands import COMMANDS
from runner.cli.offline import OFFLINE
from tests.security import hostile
from tests.security.hostile import SECRET

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RUNNER = Path(sys.executable).with_name("runner")
TERMINAL = {
    "TERM",
    "NO_COLOR",
    "COLUMNS",
    "LINES",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "LANG",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
}
OURS = {"_RUNNER_COMPLETE", "CI"}
PERSON = {"LOGNAME", "USER", "LNAME", "USERNAME"}
"""Who plays, as the state file says it."""


@dataclass(frozen=True)
class Scene:
    """The hostile repository, and what every command did in it."""

    tree: Path
    calls: list[dict[str, Any]]

    def of(self, commands: tuple[list[str], ...]) -> list[dict[str, Any]]:
        return [call for call in self.calls if call["arguments"] in commands]


def environment(tree: Path) -> dict[str, str]:
    """As in CI: with secrets, proxies and a kubeconfig at hand."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tree.parent / "home"),
        "LOGNAME": "ann",
        "KUBECONFIG": str(tree.parent / "home/.kube/config"),
        "DEPLOY_TOKEN": SECRET,
        "https_proxy": "http://attacker.example:3128",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    root = tmp_path_factory.mktemp("hostile")
    tree, report = hostile.repository(root), root / "report"
    commands = "".join(f"{json.dumps(each)}\n" for each in (*hostile.OFFLINE, *hostile.IN_THE_SANDBOX))
    done = subprocess.run(
        [sys.executable, HERE / "watched.py", report],
        check=False,
        cwd=tree,
        env=environment(tree),
        input=commands,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return Scene(tree, [json.loads(line) for line in report.read_text().splitlines()])


def test_every_command_was_called_and_none_met_a_bug(scene: Scene) -> None:
    codes = {tuple(call["arguments"][:2]): call["code"] for call in scene.calls}

    assert len(scene.calls) == len(hostile.OFFLINE) + len(hostile.IN_THE_SANDBOX)
    assert {call["arguments"][0] for call in scene.of(hostile.OFFLINE)} == OFFLINE
    assert set(codes.values()) <= {0, 1}
    assert codes["play", "good.yaml"] == codes["rehearse", "good.yaml"] == codes["plan", "good.yaml"] == 0
    assert not [call for call in scene.calls if "bug of its own" in call["err"]]


def test_nothing_is_contacted_and_nothing_is_started(scene: Scene) -> None:
    assert {tuple(call["arguments"]): call["reached"] for call in scene.calls if "reached" in call} == {}


def test_nothing_is_imported_from_the_repository(scene: Scene) -> None:
    assert [call["imported"] for call in scene.calls if call["imported"]] == []
    assert not list(scene.tree.rglob("pwned"))


def test_only_documented_variables_of_the_environment_are_looked_up(scene: Scene) -> None:
    for call in scene.calls:
        names = {name for name in call.get("environment", ()) if not name.startswith("PLAY_")}
        allowed = TERMINAL | OURS | (PERSON if call["arguments"][0] == "play" else set())
        assert names <= allowed, call["arguments"]


def reads(scene: Scene) -> Iterator[tuple[list[str], Path]]:
    for call in scene.calls:
        for path in call.get("read", ()):
            yield call["arguments"], Path(os.path.realpath(path))


def test_only_the_repository_is_read(scene: Scene) -> None:
    """Files are opened folder by folder, so that some names are relative to an open folder: no path then."""
    allowed = (scene.tree, scene.tree.parent / "state", ROOT / "schemas", ROOT / "playbooks", ROOT / "runner")
    strange = {
        path
        for _, path in reads(scene)
        if not path.is_relative_to(HERE.parent) and not any(path.is_relative_to(each) for each in allowed)
    }

    assert strange <= {scene.tree.parent}  # a folder on the way to --state
    assert not [
        path for _, path in reads(scene) if "home" in path.parts and path.is_relative_to(scene.tree.parent)
    ]


def test_nothing_is_written_but_what_was_asked_for(scene: Scene) -> None:
    written = {path for call in scene.of(hostile.OFFLINE) for path in call.get("written", ())}
    made = {path.relative_to(scene.tree.parent).parts[0] for path in scene.tree.parent.iterdir()}
    inside = {path.name for path in scene.tree.iterdir()} - {".schemas"}

    assert written == set()
    assert made == {
        "repository",
        "home",
        "secret.yaml",
        "report",
        "new",
        "example",
        "made.plan",
        "made.log",
        "state",
    }
    assert not inside & {"pwned", ".runner", "__pycache__", "good.yaml.part"}
    assert [call["loose"] for call in scene.calls if "loose" in call] == []


def test_no_secret_of_machine_or_repository_is_told(scene: Scene) -> None:
    for call in scene.calls:
        assert SECRET not in call["out"] + call["err"], call["arguments"]
        assert "root:x:0" not in call["out"] + call["err"]


def test_the_hook_sees_a_command_that_is_not_offline(tmp_path: Path) -> None:
    """What notices nothing proves nothing: a kubeconfig that is read, and a server that is asked."""
    tree, report = hostile.repository(tmp_path), tmp_path / "report"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c"}}
    config = tmp_path / "home/.kube/config"
    config.write_text(json.dumps({"current-context": "c", "clusters": [cluster], "contexts": [context]}))

    subprocess.run(
        [sys.executable, HERE / "watched.py", report],
        check=True,
        cwd=tree,
        env=environment(tree),
        input='["init", "--from", "virtualservice/x", "made"]',
        text=True,
    )

    (call,) = [json.loads(line) for line in report.read_text().splitlines()]
    assert any(event.startswith("socket.connect") for event in call["reached"])
    assert str(config) in call["read"]
    assert "KUBECONFIG" in call["environment"]


def test_every_command_is_known_to_be_offline_or_not() -> None:
    """A new command has to be put somewhere: who adds it decides what it may do."""
    reaching = {
        "resume",
        "rollback",
        "abort",
        "approve",
        "runs",
        "adopt",
        "unlock",
        "status",
        "audit",
        "rbac",
    }
    when_told = {"play", "plan", "init"}

    assert set(COMMANDS) == OFFLINE | reaching | when_told


@pytest.mark.parametrize(
    "command",
    [[str(RUNNER)], [sys.executable, "-P", "-m", "runner"], [sys.executable, "-I", "-m", "runner"]],
    ids=["runner", "-P -m", "-I -m"],
)
def test_a_repository_that_shadows_everything_is_only_read(scene: Scene, command: list[str]) -> None:
    found = called([*command, "validate", "good.yaml"], scene.tree)

    assert (found.returncode, found.stderr) == (0, "1 document, 2 warnings\n")


def test_modules_beside_a_playbook_are_not_imported_by_python_m_either(scene: Scene, tmp_path: Path) -> None:
    """A folder called `runner` in the working folder is what `python -m runner` means: that alone is Python's."""
    tree = hostile.repository(tmp_path)
    for path in sorted((tree / "runner").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tree / "runner").rmdir()

    found = called([sys.executable, "-m", "runner", "validate", "good.yaml"], tree)

    assert (found.returncode, found.stderr) == (0, "1 document, 2 warnings\n")


def called(command: list[str], tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, cwd=tree, env=environment(tree), capture_output=True, text=True
    )


GUARDED = """
import sys
sys.argv[1:] = ["schema"]
from runner.document import schema
def reach(kind):
    EVIL
schema.schema_file = reach
from runner.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "evil",
    [
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1')",
        "import socket; socket.getaddrinfo('attacker.example', 80)",
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['id'])",
        "import os; os.system('id')",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import os; os.fork() or os._exit(0)",
    ],
)
def test_a_library_that_reaches_out_is_stopped_and_said(tmp_path: Path, evil: str) -> None:
    program = GUARDED.replace("EVIL", evil)

    found = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True
    )

    assert found.returncode == 1
    assert "`runner schema` works offline, and something in it asked for" in found.stderr
    assert "Traceback" not in found.stderr
