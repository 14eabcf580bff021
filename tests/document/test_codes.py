"""Every diagnostic has a code, every code an entry, and every entry shows what it says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.document import validate
from runner.document.codes import Code, codes

SOURCE = Path(__file__).resolve().parents[2] / "runner"
SHOWN_WRONG = [code for code in codes().values() if code.bad]
SHOWN_RIGHT = [code for code in codes().values() if code.good]


def test_codes_of_the_source_are_those_of_the_table() -> None:
    used = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r'"(RUN\d{3})"', path.read_text(encoding="utf-8"))
    }

    assert used == set(codes())


@pytest.mark.parametrize("code", SHOWN_WRONG, ids=lambda code: code.name)
def test_the_wrong_lines_give_their_code(code: Code, playbook: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(playbook(code.bad))

    found = validate(file)

    assert code.name in {each.code for each in found}


@pytest.mark.parametrize("code", SHOWN_RIGHT, ids=lambda code: code.name)
def test_the_right_lines_do_not(code: Code, playbook: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(playbook(code.good))

    found = validate(file)

    assert code.name not in {each.code for each in found}
    assert [each for each in found if each.severity == "error"] == []
