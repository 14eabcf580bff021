"""The README's picture can always be drawn anew from a real play."""

import runpy
from pathlib import Path

DRAW = Path(__file__).parents[2] / "docs" / "images" / "draw.py"


def test_picture_shows_the_screen_in_the_middle_of_a_play(tmp_path):
    script = runpy.run_path(str(DRAW))

    rows = script["photograph"](tmp_path)
    drawn = script["svg"](rows)

    assert "SANDBOX 30x" in rows[0].text
    assert any("soak at 50" in row.text and "left of 2m" in row.text for row in rows)
    assert drawn.startswith("<svg")
    assert "@font-face" not in drawn
