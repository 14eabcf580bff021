"""Pages of the reference say what the code says."""

import dataclasses
import re

import pytest

from runner.engine.events import EVENT_NAMES
from runner.errors import ExitCode
from tests.docs.markdown import ROOT
from tests.docs.tree import page

REFERENCE = ROOT / "docs/reference"


def test_commands_page_is_the_command_tree() -> None:
    written = (REFERENCE / "commands.md").read_text()

    assert written == page(), "run `make docs`"


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
