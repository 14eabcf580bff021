"""Pages of the reference say what the code says."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner.cli.root import root
from runner.engine.events import EVENT_NAMES
from runner.errors import ExitCode
from tests.docs.markdown import ROOT, Command, blocks
from tests.docs.session import open_session
from tests.docs.tree import command_names, page

PLAY = "runner play playbooks/bookinfo-canary.yaml --sandbox --state state.jsonl"
REFERENCE = ROOT / "docs/reference"


def test_commands_page_is_the_command_tree() -> None:
    written = (REFERENCE / "commands.md").read_text()

    assert written == page(), "run `make docs`"


@pytest.mark.parametrize("name", command_names())
def test_help_shows_none_of_its_own_marks(name: str) -> None:
    told = CliRunner().invoke(root, [name, "--help"]).output

    assert "\\b" not in told
    assert "\b" not in told


def test_every_exit_code_is_explained() -> None:
    rows = re.findall(r"^\| (\d+) \|", (REFERENCE / "exit-codes.md").read_text(), flags=re.MULTILINE)

    assert [int(row) for row in rows] == sorted(ExitCode)


@pytest.mark.parametrize("kind", EVENT_NAMES, ids=EVENT_NAMES.get)
def test_every_event_is_explained_with_its_fields(kind: type) -> None:
    text = (REFERENCE / "events.md").read_text()
    names = [field.name.removesuffix("_") for field in dataclasses.fields(kind) if field.name != "at"]

    section = re.search(rf"^\| `{re.escape(EVENT_NAMES[kind])}` \|(.*)$", text, flags=re.MULTILINE)

    assert section is not None
    assert [name for name in names if f"`{name}`" not in section[1]] == []


def test_the_chain_of_a_state_file_can_be_checked_as_its_page_shows(tmp_path: Path) -> None:
    session = open_session(tmp_path)
    program = next(block for block in blocks(REFERENCE / "state-file.md") if block.language == "python")
    code, printed = session.run(Command(PLAY, 0, None, program))
    assert code == 0, printed

    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program.text, "state.jsonl"]
        return subprocess.run(command, check=False, cwd=session.folder, capture_output=True, text=True)

    whole = check()
    state = session.folder / "state.jsonl"
    state.write_text(state.read_text().replace('"stage.started"', '"stage.skipped"', 1))
    changed = check()

    assert (whole.returncode, changed.returncode) == (0, 1)
    assert "all of one chain" in whole.stdout


def test_commands_that_the_readme_promises_for_later_are_not_there_yet() -> None:
    bullet = re.search(
        r"\*\*Commands to come:\*\*(.*?)\n- ", (ROOT / "README.md").read_text(), flags=re.DOTALL
    )
    later = set(re.findall(r"`(\w+)`", bullet[1])) if bullet else set()

    assert later & set(command_names()) == set()
