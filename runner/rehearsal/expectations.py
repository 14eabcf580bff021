"""Whether a scenario's `expect:` was met."""

from collections.abc import Iterator, Mapping

from runner.engine.events import SplitChanged
from runner.model.scenario import Expectation, Scenario
from runner.model.split import Split
from runner.rehearsal.playing import Played


def unmet(played: Played) -> tuple[str, ...]:
    """Every expectation of the played scenario that was not met, in words."""
    expect = played.scenario.expect
    return () if expect is None else tuple(_unmet(played, expect))


def _unmet(played: Played, expect: Expectation) -> Iterator[str]:
    if expect.outcome is not None and played.ending != expect.outcome:
        yield f"outcome: expected {expect.outcome}, it was {played.ending}: {played.reason}"
    if expect.exit_code is not None and played.code != expect.exit_code:
        yield f"exit code: expected {expect.exit_code}, it was {played.code}"
    for route, split in expect.splits:
        if played.splits.get(route) != split:
            yield f"split of {route}: expected {split}, it was {played.splits.get(route)}"
    if expect.fired_by is not None and set(played.fired_by) != set(expect.fired_by):
        yield f"fired by: expected {_named(expect.fired_by)}, it was {_named(played.fired_by)}"
    if expect.within is not None:
        yield from _late(played, expect.within, dict(expect.splits))


def _named(checks: tuple[str, ...]) -> str:
    return ", ".join(checks) or "nothing"


def _late(played: Played, within: float, wanted: Mapping[str, Split]) -> Iterator[str]:
    begins = first_fault(played)
    if begins is None:
        yield f"within {within:g} s: nothing ever went wrong"
        return
    moves = [event for event in played.events if isinstance(event, SplitChanged)]
    for route in {move.route for move in moves} & (set(wanted) or {move.route for move in moves}):
        last = next(move for move in reversed(moves) if move.route == route)
        took = last.at - begins
        if took > within:
            yield f"within {within:g} s of the first fault: {route} took {took:g} s"


def first_fault(played: Played) -> float | None:
    """When the first thing of the scenario went wrong, in Unix seconds."""
    return min(_faults(played, played.scenario), default=None)


def _faults(played: Played, scenario: Scenario) -> Iterator[float]:
    for when in scenario.when:
        begins = played.started if when.stage is None else played.stage_start(when.stage)
        if begins is not None:
            yield begins + when.after
