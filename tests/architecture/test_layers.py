"""The directions of imports, and the lists that must stay one list."""

import json
import subprocess
import sys
import typing
from pathlib import Path

import grimp

from runner.engine.events import EVENT_NAMES, Event
from runner.model.stages import Kind
from runner.stages.kinds import KINDS

ROOT = Path(__file__).parents[2]
PURE = {
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "fractions",
    "functools",
    "itertools",
    "math",
    "statistics",
    "typing",
}


def test_data_flows_one_way():
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "0 broken" in found.stdout, found.stdout + found.stderr


def test_the_core_knows_only_pure_modules():
    graph = grimp.build_graph("runner", include_external_packages=True)
    core = {"runner.engine", "runner.model"}
    core |= graph.find_descendants("runner.engine") | graph.find_descendants("runner.model")

    imported = {name for module in core for name in graph.find_modules_directly_imported_by(module)}

    assert {name for name in imported if not name.startswith("runner.")} <= PURE
    assert all(name in core for name in imported if name.startswith("runner."))


def test_a_stage_kind_is_one_class_one_module_and_one_definition():
    schema = json.loads((ROOT / "schemas" / "playbook.v1.schema.json").read_text())
    classes = set(typing.get_args(Kind))
    names = {module.NAME for module in KINDS.values()}
    stage = schema["definitions"]["stage"]["properties"]

    assert set(KINDS) == classes
    assert names == {cls.__name__.lower() for cls in classes}
    assert names == set(stage) - {"name"}
    for module in KINDS.values():
        assert callable(module.compiled)
        assert callable(module.says)
        assert callable(module.needs)


def test_every_event_has_one_name_in_code_and_schema():
    schema = json.loads((ROOT / "schemas" / "state.v1.schema.json").read_text())

    assert set(EVENT_NAMES) == set(typing.get_args(Event))
    assert set(EVENT_NAMES.values()) == set(schema["properties"]["event"]["enum"])
