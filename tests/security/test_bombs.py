"""Documents that are made to hurt are refused in words, within 2 s of a processor and 300 MiB."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.security import bombs

ROOT = Path(__file__).parents[2]
SECONDS, MIB = 2.0, 300.0


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("bombs")
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.bombs", folder],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {cost["name"]: cost for cost in map(json.loads, done.stdout.splitlines())}


def test_the_corpus_is_played_whole(costs: dict[str, dict[str, Any]]) -> None:
    assert len(costs) >= 80
    assert set(costs) > set(bombs.HARMLESS)


def test_each_is_refused_in_words(costs: dict[str, dict[str, Any]]) -> None:
    for name, cost in costs.items():
        said = cost["out"] + cost["err"]
        assert cost["code"] == (0 if name in bombs.HARMLESS else 1), (name, said[:300])
        assert "Traceback" not in said, name
        assert "bug of its own" not in said, name
        assert "error" in cost["err"] or name in bombs.HARMLESS, name


def test_each_is_refused_within_its_time_and_memory(costs: dict[str, dict[str, Any]]) -> None:
    over = {name: cost for name, cost in costs.items() if cost["seconds"] > SECONDS or cost["mib"] > MIB}

    assert {name: (cost["seconds"], cost["mib"]) for name, cost in over.items()} == {}


def test_nothing_is_told_that_a_terminal_obeys(costs: dict[str, dict[str, Any]]) -> None:
    for name, cost in costs.items():
        assert not set(cost["out"] + cost["err"]) & set("\x1b\x07\x00\u202e"), name


@pytest.mark.parametrize("name", sorted(bombs.TEMPLATES))
def test_every_template_of_a_case_is_refused_by_itself(costs: dict[str, dict[str, Any]], name: str) -> None:
    """One refusal a stage: none of them hides behind another."""
    said = costs[f"template: {name}"]["out"]
    codes = [line.rpartition("[")[2] for line in said.splitlines() if line.startswith("template: ")]
    wrong = [code for code in codes if not code.startswith("RUN213")]

    assert len(wrong) >= (1 if name == "many templates" else len(bombs.TEMPLATES[name]))
