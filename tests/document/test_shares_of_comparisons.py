"""At which shares of the traffic a comparison is warned of."""

import pytest

from runner.document import validate

SIDE = (
    "{{bad: \"sum(increase(failed_total{{v='{0}'}}[1m]))\", of: \"sum(increase(all_total{{v='{0}'}}[1m]))\"}}"
)
COMPARE = f"compare: {{canary: {SIDE.format('v2')}, stable: {SIDE.format('v1')}}}"


@pytest.mark.parametrize(
    ("share", "count", "warned"),
    [
        (20, 1, False),
        (49, 1, False),
        (50, 1, True),
        (50, 2, True),
        (50, 3, False),
        (51, 5, True),
        (100, 5, True),
    ],
)
def test_a_comparison_is_warned_of_where_stable_has_too_little(tmp_path, playbook, share, count, warned):
    stages = (
        f"  - {{name: some, shift: {{route: orders, canary: {share}}}}}\n"
        f"  - {{name: look, verify: {{checks: [worse], count: {count}}}}}\n"
    )
    file = tmp_path / "playbook.yaml"
    file.write_text(playbook(f"guards: []\nchecks:\n  worse: {{{COMPARE}}}\nstages:\n{stages}"))

    found = [each for each in validate(file) if each.code == "RUN521"]

    assert bool(found) == warned
    if found:
        assert found[0].message == f'"worse" compares with a stable version that has {100 - share} %'
