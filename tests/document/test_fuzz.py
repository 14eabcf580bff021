"""Playbooks that are damaged in every way end in diagnostics: no other error, no wait, and no playbook that cannot be built."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.document import read, rebuild
from runner.document.load import parse_all
from runner.document.manifests import Shelf
from runner.document.playbook import Wishes, loaded, look
from runner.errors import RunnerError
from tests.document.test_cases import GOOD
from tests.document.test_plain import paths

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*GOOD, *sorted((ROOT / "playbooks").glob("*.yaml"))]
TEXTS = [path.read_text(encoding="utf-8") for path in SOURCES]
WHOLE = read(Path(__file__).parent / "every-field.yaml").tree
TREES = [*(read(path).tree for path in SOURCES), WHOLE]

PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "[",
            "]",
            "{",
            "}",
            ":",
            "- ",
            '"',
            "'",
            "\n",
            "  ",
            "&a",
            "*a",
            "!!x",
            "null",
            "|",
            "#",
            "\t",
        ),
        *(
            "true",
            "1e9",
            "99999999999999999999",
            "x" * 300,
            "\u202e",
            "é",
            "\0",
            "stages",
            "weights",
            "routes",
            "kind: []",
        ),
        *(
            "{{ canary }}",
            "{{ a * b }}",
            "{{ routes }}",
            "sum(",
            "[1m]",
            "canary: 20",
            "files: ['**']",
            "vars",
            "20.0",
        ),
    ]
)
JUNK = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            1,
            -1,
            100,
            20.0,
            0.5,
            10**15,
            "",
            "x",
            "5m",
            "v1",
            "none",
            "10%",
            "50",
            "true",
            "sum(",
            "x[1m]",
        ),
        *(
            "{{ canary }}",
            "{{ nothing }}",
            "{{ routes.orders.stable }}",
            "a b",
            "../x",
            "\u202e",
            [],
            {},
            [1],
            ["x"],
            [[]],
        ),
        *(
            {"a": 1},
            {"x-a": 1},
            {"name": "n"},
            {"check": "q"},
            {"query": "x", "max": 1},
            {"v1": 50, "v2": 50},
            {"v1": "x"},
        ),
    ]
)


def judged(text: str) -> None:
    """Look at *text* as a playbook: nothing but a RunnerError may come of it, and that soon."""
    began = time.process_time()
    try:
        document, found = parse_all(text, str(ROOT / "playbooks/damaged.yaml"))
        reading = look(document, found, Wishes(examples=True), Shelf())
        if not reading.wrong and not reading.incomplete:
            whole = loaded(reading)
            assert (
                rebuild(json.loads(json.dumps(whole.tree)), whole.variables, whole.manifests)
                == whole.playbook
            )
    except RunnerError:
        pass
    assert time.process_time() - began < 2.0


@given(text=st.sampled_from(TEXTS), data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_texts(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(PIECES) + text[end:]

    judged(text)


@given(tree=st.sampled_from(TREES), data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_trees(tree: Any, data: st.DataObject) -> None:
    tree = copy.deepcopy(tree)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from([path for path in paths(tree) if path]))
        inner = tree
        for key in above:
            inner = inner[key]
        if data.draw(st.booleans()):
            inner[last] = copy.deepcopy(data.draw(JUNK))
        else:
            del inner[last]
        if not tree:
            break

    judged(json.dumps(tree))


def test_the_tree_with_every_field_is_right() -> None:
    document, found = parse_all(json.dumps(WHOLE), str(ROOT / "playbooks/whole.yaml"))

    reading = look(document, found, Wishes(examples=True), Shelf())

    assert [each for each in reading.found if each.severity == "error"] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_beginning_of_a_playbook_ends_in_diagnostics(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    for end in range(0, len(text), max(1, len(text) // 60)):
        judged(text[:end])
