"""Writes the golden plans anew: `python -m tests.review.refresh`, then read the diff."""

from runner.review.plan_text import render_markdown
from tests.review.places import CASES, PLAY, empty, refused, second, text


def main() -> None:
    """Every case, from the code as it is."""
    (CASES / "empty.txt").write_text(text(empty()), encoding="utf-8")
    (CASES / "empty.md").write_text(render_markdown(empty(), play=PLAY), encoding="utf-8")
    (CASES / "refused.txt").write_text(text(refused()), encoding="utf-8")
    (CASES / "refused.md").write_text(render_markdown(refused(), play=PLAY), encoding="utf-8")
    (CASES / "second.txt").write_text(text(second()), encoding="utf-8")


if __name__ == "__main__":
    main()
