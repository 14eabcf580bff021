"""What others write is shown as what it is: it moves no cursor, hides nothing, ends no string and runs nowhere."""

import json
import subprocess

import pytest

from tests.escaping.oracle import commands_hold, page_holds, unseen, words_hold
from tests.escaping.sinks import DATA, HOSTILE, PAGES, logged, pasted

TEXTS = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_nothing_that_is_obeyed_or_unseen(page, name):
    page_holds(page, name)


@TEXTS
def test_the_log_for_people_holds_nothing_that_is_obeyed_or_unseen(text):
    assert unseen(logged(text, console=True)) == set()


@TEXTS
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_data_is_always_json_in_plain_characters(data, text):
    said = data(text)

    assert said.isascii()
    assert unseen(said) == set()
    for piece in said.splitlines() if said.startswith('{"v"') or '"logged"' in said else [said]:
        json.loads(piece, parse_constant=pytest.fail)


@TEXTS
def test_an_annotation_stays_one_line_with_its_own_properties(text):
    lines = PAGES["diagnostics for GitHub"](text).splitlines()

    assert len(lines) == 2
    for line in lines:
        properties, _, _ = line[2:].partition("::")
        named = [pair.partition("=")[0] for pair in properties.partition(" ")[2].split(",")]
        assert named == ["file", "line", "col", "title", "endColumn", "endLine"]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_to_be_pasted_runs_nothing_else(name):
    words_hold(name)


def test_a_shell_agrees(tmp_path):
    text = HOSTILE["a command to the shell"] + HOSTILE["quotes"]
    script = "kubectl() { printf '%s\\n' \"$@\"; }\n" + "\n".join(pasted(text))

    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.count(f"\n{text}\n") >= 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "guarded"), [("the clipboard (OSC 52)", False), ("right to left", True)])
def test_whole_commands_hold(name, guarded):
    commands_hold(name, guarded=guarded)
