"""What is light stays light: which modules a command has imported when it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import atexit, json, sys
sys.argv = ["runner", *sys.argv[1:]]
atexit.register(lambda: print("MODULES " + json.dumps(sorted(sys.modules)), file=sys.stderr))
from runner.__main__ import main
main()
"""
VALIDATE = ("validate", "playbooks/bookinfo-canary.yaml")


def imported(*arguments: str) -> set[str]:
    """The top-level modules that `runner *arguments` has imported when it ends, which it must do with 0."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    names = json.loads(ran.stderr.split("MODULES ", 1)[1])
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), VALIDATE], ids=lambda a: a[0])
def test_commands_that_need_no_cluster_import_none(arguments: tuple[str, ...]) -> None:
    assert (
        imported(*arguments) & {"kubernetes", "asyncio", "structlog", "aiohttp", "urllib3", "requests"}
        == set()
    )


def test_version_imports_nothing_but_the_package() -> None:
    heavy = {
        "yaml",
        "jinja2",
        "jsonschema",
        "jsonschema_rs",
        "promql_parser",
        "rich",
        "rich_click",
        "click",
        "json",
    }

    assert imported("--version") & heavy <= {"json"}  # the program above imports json itself


def test_help_reads_no_playbook() -> None:
    assert imported("--help") & {"yaml", "jinja2", "jsonschema", "jsonschema_rs", "promql_parser"} == set()


def test_a_valid_playbook_is_not_explained() -> None:
    assert "jsonschema" not in imported(*VALIDATE)
