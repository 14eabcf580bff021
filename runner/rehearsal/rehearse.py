"""The healthy world, the scenarios given, and for every gate the worlds in which it must say no."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.engine.events import RollbackFinished, RollbackStarted
from runner.engine.forecast import Assumed, Forecast, forecast
from runner.model.checks import Agreement, Verdict
from runner.model.playbook import Playbook
from runner.model.scenario import TRAFFIC, Given, Scenario
from runner.model.stages import Promote, Shift
from runner.promql import unknown_metrics
from runner.rehearsal.cells import STOPS, Cell, Said, alone_cell, healthy_cell
from runner.rehearsal.expectations import unmet
from runner.rehearsal.gates import Alone, Gate, alone, gates_of, given_there
from runner.rehearsal.place import Open
from runner.rehearsal.playing import Played, play
from runner.rehearsal.reasons import culprit, why_silent
from runner.rehearsal.thinning import needed
from runner.rehearsal.worlds import ALWAYS, ERRORS, HEALTHY, SUSPECTS, About, World, derived


@dataclass(frozen=True, slots=True)
class GateReport:
    """One gate: what it said in health and in every derived world, and what is wrong with it."""

    gate: Gate
    health: Cell
    cells: Mapping[str, Cell]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlayReport:
    """One play of the whole playbook, and what is wrong with it."""

    title: str
    played: Played
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything that a rehearsal found; *virtual* seconds passed in *count* plays, *worlds* are the derived."""

    playbook: Playbook
    plays: tuple[PlayReport, ...]
    gates: tuple[GateReport, ...]
    forecast: Forecast
    assumptions: tuple[str, ...]
    worlds: tuple[World, ...]
    virtual: float
    count: int

    @property
    def healthy(self) -> Played:
        """The play in which nothing goes wrong."""
        return self.plays[0].played

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that makes the rehearsal fail, in order."""
        of_plays = (f"{report.title}: {problem}" for report in self.plays for problem in report.problems)
        of_gates = (f"{report.gate.title}: {problem}" for report in self.gates for problem in report.problems)
        return (*of_plays, *of_gates)


class _Stage:
    """Plays, and counts what it played."""

    def __init__(self, open_place: Open, given: Given) -> None:
        self.open_place = open_place
        self.given = given
        self.virtual = 0.0
        self.count = 0
        self.worlds: dict[str, tuple[World, ...]] = {}
        self.broken: list[str] = []

    def worlds_of(self, gate: Gate) -> tuple[World, ...]:
        """Those of the gate's route, or those that need none."""
        return self.worlds.get(gate.route, ALWAYS)

    def play(self, playbook: Playbook, scenario: Scenario, until: str | None = None) -> Played:
        played = play(playbook, scenario, self.open_place, until=until)
        self.virtual += played.ended - played.started
        self.count += 1
        return played


def rehearse(
    playbook: Playbook, scenarios: Sequence[Scenario], open_place: Open, *, base: float | None = None
) -> Rehearsal:
    """Rehearse *playbook*. The world before the run is that of the first scenario, where one is given.

    *base* is the stable error rate that the forecast starts from.
    """
    given = scenarios[0].given if scenarios else Given()
    stage = _Stage(open_place, given)
    healthy = stage.play(playbook, Scenario(HEALTHY.name, HEALTHY.description, given))
    for route in playbook.routes:
        stage.worlds[route.name] = derived(route, healthy.rules(route.namespace))
    plays = [PlayReport("healthy", healthy, tuple(_healthy_problems(healthy)))]
    plays += [_scenario_report(stage, playbook, scenario) for scenario in scenarios]
    gates = tuple(_gate_report(stage, playbook, gate, healthy) for gate in gates_of(playbook))
    plays += list(_derived_reports(stage, playbook))
    return Rehearsal(
        playbook=playbook,
        plays=tuple(plays),
        gates=gates,
        forecast=forecast(playbook, assumed(playbook, given, base)),
        assumptions=healthy.assumptions,
        worlds=tuple({world.name: world for worlds in _all_worlds(stage) for world in worlds}.values()),
        virtual=stage.virtual,
        count=stage.count,
    )


def _all_worlds(stage: _Stage) -> tuple[tuple[World, ...], ...]:
    return tuple(stage.worlds.values()) or (ALWAYS,)


def assumed(playbook: Playbook, given: Given, base: float | None = None) -> Assumed:
    """What the forecast starts from: the traffic of the scenario, or the usual 20 requests a second."""
    loads = dict(given.traffic)
    traffic = {
        route.name: loads[route.name].rate if route.name in loads else TRAFFIC for route in playbook.routes
    }
    if base is None:
        return Assumed(traffic, scrape=given.scrape)
    return Assumed(traffic, base, given.scrape)


def _healthy_problems(played: Played) -> Iterator[str]:
    yield from played.broken
    if played.ending != "succeeded":
        yield f"ended {played.ending} though nothing went wrong: {played.reason}"


def _scenario_report(stage: _Stage, playbook: Playbook, scenario: Scenario) -> PlayReport:
    played = stage.play(playbook, scenario)
    problems = (*played.broken, *_rollback_problems(played), *unmet(played))
    return PlayReport(f"scenario {scenario.name}", played, problems)


def _rollback_problems(played: Played) -> Iterator[str]:
    """Every rollback must end at the safe split, read back, unless a scenario expects that it cannot."""
    started = [event for event in played.events if isinstance(event, RollbackStarted)]
    finished = [event for event in played.events if isinstance(event, RollbackFinished)]
    expect = played.scenario.expect
    if expect is not None and expect.outcome == "rollback-failed":
        return
    if started and not (finished and finished[-1].verified):
        yield f"a rollback did not end at the safe split: {played.reason}"


def _derived_reports(stage: _Stage, playbook: Playbook) -> Iterator[PlayReport]:
    """The whole playbook in every derived world, from the first traffic of each route's canary on."""
    for route, begins in _first_traffic(playbook):
        for world in stage.worlds[route]:
            played = stage.play(playbook, world.scenario(stage.given, route, begins))
            yield PlayReport(world.title, played, *_derived_problems(world, played))


def _first_traffic(playbook: Playbook) -> Iterator[tuple[str, str]]:
    """Each route that is moved, and the stage after its canary's first traffic."""
    seen: set[str] = set()
    for stage, following in zip(playbook.stages, (*playbook.stages[1:], None), strict=True):
        match stage.kind:
            case Shift(route=route, split=split) if split[playbook.route(route).canary]:
                pass
            case Promote(route=route):
                pass
            case _:
                continue
        if route not in seen and following is not None:
            seen.add(route)
            yield route, following.name


def _derived_problems(world: World, played: Played) -> tuple[tuple[str, ...], tuple[str, ...]]:
    problems = [*played.broken, *_rollback_problems(played)]
    if played.ending != "succeeded":
        return tuple(problems), ()
    if world.about is About.SIGHT:
        return (*problems, f"promoted, though {world.tells}"), ()
    return tuple(problems), (f"promoted, though {world.tells}: no gate looks at this",)


def _gate_report(stage: _Stage, playbook: Playbook, gate: Gate, healthy: Played) -> GateReport:
    short = _thin(alone(playbook, gate), playbook, healthy)
    texts = (query.text for query in gate.check.queries.values())
    unknown = unknown_metrics(texts, healthy.produced)
    if unknown:
        reason = f"no scenario gives {', '.join(unknown)}"
        cell = Cell(Said.NOT_REHEARSED, reason)
        return GateReport(gate, cell, {}, (f"not rehearsed: {reason}",), ())
    health, played = _in_health(stage, gate, short, healthy)
    if health.said is not Said.PASSED:
        return GateReport(gate, health, {}, (_unhealthy(gate, health, played),), ())
    worlds = stage.worlds_of(gate)
    plays = {world.name: _played_alone(stage, gate, short, world) for world in worlds}
    cells = {name: alone_cell(gate, played) for name, played in plays.items()}
    problems = [*_broken(plays), *_silent(stage, gate, short, cells, plays)]
    blind = [*_blind(worlds, gate, cells)]
    if gate.check.no_data is Verdict.PASSED:
        return GateReport(gate, health, cells, tuple(problems), tuple(blind))
    return GateReport(gate, health, cells, (*problems, *blind), ())


def _thin(short: Alone, playbook: Playbook, healthy: Played) -> Alone:
    namespaces = {route.namespace for route in playbook.routes}
    rules = [rule for namespace in sorted(namespaces) for rule in healthy.rules(namespace)]
    return replace(short, there=needed(short.there, playbook, rules))


def _in_health(stage: _Stage, gate: Gate, short: Alone, healthy: Played) -> tuple[Cell, Played]:
    """By the healthy play of everything, or alone where another gate ended that one too early."""
    cell = healthy_cell(gate, healthy)
    if cell is not None:
        return cell, healthy
    given = given_there(stage.given, short.there)
    played = stage.play(short.playbook, Scenario(HEALTHY.name, HEALTHY.description, given), short.until)
    return alone_cell(gate, played), played


def _unhealthy(gate: Gate, health: Cell, played: Played) -> str:
    said = f"does not pass when nothing is wrong: {health.reason}"
    wrong = culprit(gate.check, gate.check.queries, played.ask)
    return said if wrong is None else f"{said}; {wrong}"


def _played_alone(stage: _Stage, gate: Gate, short: Alone, world: World, subset: str | None = None) -> Played:
    given = given_there(stage.given, short.there)
    broken = _subject(gate) if subset is None else subset
    return stage.play(short.playbook, world.scenario(given, gate.route, short.bad_from, broken), short.until)


def _subject(gate: Gate) -> str:
    """What goes wrong for *gate*: its route's canary, the first version that it names, or everything."""
    if gate.route:
        return "canary"
    judgement = gate.check.judgement
    named = judgement.expect if isinstance(judgement, Agreement) else None
    return next(iter(named), "") if named is not None else ""


def _broken(plays: Mapping[str, Played]) -> Iterator[str]:
    for name, played in plays.items():
        for broken in (*played.broken, *_rollback_problems(played)):
            yield f"in {name!r}: {broken}"


def _silent(
    stage: _Stage, gate: Gate, short: Alone, cells: Mapping[str, Cell], plays: Mapping[str, Played]
) -> Iterator[str]:
    """Whether nothing that is wrong with the canary makes the gate fail, and why not."""
    of_canary = {world.name for world in stage.worlds_of(gate) if world.about is About.CANARY}
    if any(cells[name].said is Said.FAILED for name in of_canary):
        return
    on_stable = bool(gate.route) and any(
        alone_cell(gate, _played_alone(stage, gate, short, suspect, "stable")).said is Said.FAILED
        for suspect in SUSPECTS
    )
    canary = {name: cell for name, cell in cells.items() if name in of_canary}
    stable = short.playbook.route(gate.route).stable if gate.route else ""
    why = why_silent(gate.check, canary, plays[ERRORS.name].ask, stable=stable, fires_on_stable=on_stable)
    yield f"cannot say no: nothing that is wrong with the canary makes it fail; {why}"


def _blind(worlds: Sequence[World], gate: Gate, cells: Mapping[str, Cell]) -> Iterator[str]:
    """Whether the gate lets a release through that it cannot see."""
    for world in worlds:
        if world.about is About.SIGHT and cells[world.name].said not in STOPS:
            said = "`noData: pass`" if gate.check.no_data is Verdict.PASSED else cells[world.name].reason
            yield f"passes although {world.tells}: {said}"
