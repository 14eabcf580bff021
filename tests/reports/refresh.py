"""Writes every golden file anew: `python -m tests.reports.refresh`, then read the diff."""

from runner.model.split import split_of
from runner.reports.confirm import confirmation
from runner.reports.status import runs_table
from runner.reports.terminal import Terminal
from tests.reports.bookinfo import playbook
from tests.reports.stories import CASES, NOON
from tests.reports.telling import narrated
from tests.reports.test_confirm import TARGET
from tests.reports.test_screen import PICTURES, picture
from tests.reports.test_status import shown


def main() -> None:
    """Every case, from the code as it is."""
    for path in CASES.glob("*.jsonl"):
        _write(f"{path.stem}.txt", narrated(path.stem))
    for name, until in PICTURES:
        _write(f"{name}-{until}.screen", picture(name, until))
    page = confirmation(playbook(), TARGET, {"reviews": split_of({"v1": 100})}, Terminal())
    _write("confirm.page", "\n".join(page) + "\n")
    runs = [shown("interrupted"), shown("rollback-failed"), shown("promoted")]
    _write("runs.table", "\n".join(runs_table(runs, NOON + 600, Terminal())) + "\n")


def _write(name: str, text: str) -> None:
    (CASES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
