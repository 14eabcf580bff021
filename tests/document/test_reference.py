"""The reference pages of playbooks and diagnostics are what schema and table say."""

from collections.abc import Callable
from pathlib import Path

from tests.document.reference_pages import diagnostics_page, playbook_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs/reference"

Golden = Callable[[Path, str], str]


def test_playbook_page_is_the_schema(golden: Golden) -> None:
    page = playbook_page()

    assert page == golden(REFERENCE / "playbook.md", page)


def test_diagnostics_page_is_the_table(
    golden: Golden, playbook: Callable[[str], str], tmp_path: Path
) -> None:
    page = diagnostics_page(playbook, tmp_path)

    assert page == golden(REFERENCE / "diagnostics.md", page)
