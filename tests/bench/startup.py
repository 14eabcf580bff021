"""How long it takes to say hello."""

from pathlib import Path

from tests.bench.measure import Figure, at_most, process, ratio

FLOOR = "`python -c pass`"


def figures(python: Path, runner: Path, folder: Path) -> list[Figure]:
    """Start-up of three commands against the interpreter's own."""

    def floor() -> float:
        return process([python, "-c", "pass"], folder).cpu

    def of(*arguments: str) -> float:
        return ratio(floor, lambda: process([runner, *arguments], folder).cpu)

    return [
        at_most("`runner --version`", of("--version"), 2.5, FLOOR),
        at_most("`runner --help`", of("--help"), 6, FLOOR),
        at_most(
            "`runner validate` of the Bookinfo canary",
            of("validate", "playbooks/bookinfo-canary.yaml"),
            10,
            FLOOR,
        ),
    ]
