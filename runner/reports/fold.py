"""From events to the view of a run: pure, total, and the only way that a view changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from itertools import groupby
from typing import assert_never, cast

from runner.engine.events import (
    EffectDone,
    EffectIntended,
    Event,
    GateAnswered,
    GateOpened,
    MeasurementTaken,
    RollbackEvent,
    RollbackFinished,
    RollbackStarted,
    RunEvent,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    SplitChanged,
    StageEvent,
    StageFailed,
    StageSkipped,
    StageStarted,
    StageSucceeded,
)
from runner.model.checks import Agreement
from runner.model.playbook import Playbook
from runner.model.split import Split, canary_split
from runner.model.stages import Promote
from runner.reports.measures import facts, forgotten, measured
from runner.reports.view import (
    GUARD,
    Move,
    RollbackView,
    RunView,
    StageStatus,
    StageView,
    Standing,
    Stopped,
    check_of,
)

Measurements = Iterable[MeasurementTaken]


def opening(run: str, playbook: Playbook | None = None, *, handle: str = "") -> RunView:
    """The view before the first event; without a playbook stages appear as events name them."""
    if playbook is None:
        return RunView(run, handle=handle)
    return RunView(
        run,
        playbook,
        handle,
        name=playbook.name,
        version=playbook.version,
        stages=tuple(StageView(stage.name, type(stage.kind).__name__.lower()) for stage in playbook.stages),
        places={stage.name: place for place, stage in enumerate(playbook.stages)},
        models={stage.name: stage for stage in (*playbook.stages, *playbook.rollback)},
    )


def replay(view: RunView, events: Iterable[Event]) -> RunView:
    """The view after *events*; measurements in a row at once, as a long journal consists of them."""
    for cls, row in groupby(events, type):
        view = _after(view, row, cls)
    return view


def _after(view: RunView, row: Iterable[Event], cls: type) -> RunView:
    return _measured(view, cast(Measurements, row)) if cls is MeasurementTaken else reduce(fold, row, view)


def fold(view: RunView, event: Event) -> RunView:
    """The view after one event; it never fails, also for events that make no sense together."""
    if isinstance(event, MeasurementTaken):
        return _measured(view, (event,))
    return replace(_folded(view, event), at=event.at)


def _folded(view: RunView, event: Event) -> RunView:
    match event:
        case RunStarted() | RunResumed() | RunPaused() | RunInterrupted() | RunFinished():
            return _run(view, event)
        case StageStarted() | StageSucceeded() | StageFailed() | StageSkipped():
            return _stage(view, event)
        case EffectIntended() | EffectDone():
            return _effect(view, event)
        case SplitChanged():
            return _moved(view, event)
        case MeasurementTaken():
            return _measured(view, (event,))
        case RollbackStarted() | RollbackFinished():
            return _rollback(view, event)
        case GateOpened():
            return replace(view, gate=event)
        case GateAnswered():
            return replace(view, gate=None)
        case _:
            assert_never(event)


def _run(view: RunView, event: RunEvent) -> RunView:
    match event:
        case RunStarted():
            return _started(view, event)
        case RunResumed():
            return _resumed(view, event)
        case RunPaused():
            standing = Standing.PAUSED if event.code else Standing.STOPPED
            stopped = Stopped(event.at, standing, event.reason, event.code)
            return replace(view, stopped=stopped, reason=event.reason, ended=event.at)
        case RunInterrupted():
            stopped = Stopped(event.at, Standing.INTERRUPTED, event.reason, event.code)
            return replace(view, stopped=stopped, reason=event.reason, ended=event.at)
        case RunFinished():
            splits = {**view.splits, **event.splits}
            reason = event.reason or view.reason
            return replace(view, outcome=event.outcome, splits=splits, reason=reason, ended=event.at)
        case _:
            assert_never(event)


def _started(view: RunView, event: RunStarted) -> RunView:
    metadata = event.playbook.get("metadata", {})
    return replace(
        view,
        name=view.name or str(metadata.get("name", "")),
        version=view.version or str(metadata.get("version", "")),
        target=event.target,
        by=event.by,
        source=event.source,
        asked=tuple(_asked(event)),
        sandbox=bool(event.target.get("sandbox")) or event.seed is not None,
        started=event.at,
        sessions=1,
    )


def _asked(event: RunStarted) -> Iterator[str]:
    """What has to be said again for the same run: where it is played, and values that are not the playbook's."""
    asked = event.target.get("asked", {})
    if asked.get("scenario"):
        yield from ("--scenario", str(asked["scenario"]))
    elif event.target.get("sandbox") or event.seed is not None:
        yield "--sandbox"
    for name in ("namespace", "root"):
        if asked.get(name):
            yield from (f"--{name}", str(asked[name]))
    declared = event.playbook.get("vars", {})
    for name, value in event.variables.items():
        default = declared.get(name)
        default = default.get("default") if isinstance(default, Mapping) else default
        if value != default and "{{" not in str(default):
            yield from ("--var", f"{name}={value}")


def _resumed(view: RunView, event: RunResumed) -> RunView:
    """A wait that nobody watched for long starts again, as the engine has it; old readings do not count."""
    stages = view.stages
    if view.playbook is not None and event.at - view.at > view.playbook.longest_unwatched:
        stages = tuple(replace(s, started=event.at) if s.status is StageStatus.RUNNING else s for s in stages)
    ended = {stage.name for stage in stages if stage.status is StageStatus.SUCCEEDED}
    return replace(
        view,
        stages=stages,
        measures={
            place: measure if place[0] in ended else forgotten(measure)
            for place, measure in view.measures.items()
        },
        sessions=view.sessions + 1,
        by=event.by or view.by,
        stopped=None,
        outcome=None,
        ended=None,
        reason="",
    )


def _stage(view: RunView, event: StageEvent) -> RunView:
    known = view.stage(event.stage) or StageView(event.stage)
    match event:
        case StageStarted():
            fresh = StageView(known.name, known.kind, StageStatus.RUNNING, event.attempt, event.at)
            view = replace(_without_measures(view, known.name), newest=known.name)
            return _with_stage(view, fresh)
        case StageSucceeded():
            view = _with_stage(view, replace(known, status=StageStatus.SUCCEEDED, ended=event.at))
            return replace(view, gate=None, promoted=view.promoted | _promoted_by(view, known.name))
        case StageFailed(reason=reason):
            failed = replace(known, status=StageStatus.FAILED, ended=event.at, note=reason)
            return replace(_with_stage(view, failed), gate=None, reason=reason)
        case StageSkipped(reason=reason):
            already = view.already | ({event.route} if event.route else set())
            skipped = replace(known, status=StageStatus.SKIPPED, ended=event.at, note=reason)
            return replace(_with_stage(view, skipped), already=already)
        case _:
            assert_never(event)


def _with_stage(view: RunView, changed: StageView) -> RunView:
    """*view* with one stage replaced, or added where the playbook's list does not have it."""
    place = view.places.get(changed.name)
    if place is None:
        places = {**view.places, changed.name: len(view.stages)}
        return replace(view, stages=(*view.stages, changed), places=places)
    return replace(view, stages=(*view.stages[:place], changed, *view.stages[place + 1 :]))


def _without_measures(view: RunView, stage: str) -> RunView:
    if all(place[0] != stage for place in view.measures):
        return view
    return replace(view, measures={place: m for place, m in view.measures.items() if place[0] != stage})


def _promoted_by(view: RunView, stage: str) -> set[str]:
    model = view.stage_model(stage)
    return {model.kind.route} if model is not None and isinstance(model.kind, Promote) else set()


def _effect(view: RunView, event: EffectIntended | EffectDone) -> RunView:
    ref = event.ref
    place = f"{ref.namespace}/{ref.name}"
    target = f"{ref.kind} {place}"
    match event:
        case EffectIntended(want=want):
            written = {**view.written, place: want} if "destinations" in want else view.written
            return replace(view, written=written, open={**view.open, target: event})
        case EffectDone(result=result):
            read = {**view.read, place: event.at} if ref.kind == "VirtualService" else view.read
            open_ = {name: intent for name, intent in view.open.items() if name != target}
            view = replace(view, open=open_, read=read)
            stage = view.stage(ref.stage)
            if stage is None or stage.kind != "apply" or result.get("left"):
                return view
            return _with_stage(view, replace(stage, applied=(*stage.applied, f"{ref.kind}/{ref.name}")))
        case _:
            assert_never(event)


def _moved(view: RunView, event: SplitChanged) -> RunView:
    move = Move(event.at, event.route, event.from_, event.to, event.stage)
    return replace(
        view,
        splits={**view.splits, event.route: event.to},
        safe={**view.safe, **_safe(view, event)},
        moves=(*view.moves, move),
        served={route: shares for route, shares in view.served.items() if route != event.route},
    )


def _safe(view: RunView, event: SplitChanged) -> dict[str, Split]:
    """The newest split in which the canary had nothing."""
    routes = {route.name: route for route in view.playbook.routes} if view.playbook else {}
    route = routes.get(event.route)
    if route is None:
        return {}
    for split in (event.to, event.from_):
        if split is not None and not split[route.canary]:
            return {route.name: split}
    return {} if route.name in view.safe else {route.name: canary_split(route.stable, route.canary, 0)}


def _measured(view: RunView, row: Measurements) -> RunView:
    at, measures, served = view.at, dict(view.measures), dict(view.served)
    agreements: dict[tuple[str, str], Agreement | None] = {}
    for event in row:
        at, place = event.at, (event.stage or GUARD, event.check)
        measures[place] = measured(measures.get(place), event)
        if place not in agreements:
            agreements[place] = _agreement(view, event)
        if (agreement := agreements[place]) is not None:
            served.update(_served(agreement, event))
    return replace(view, at=at, measures=measures, served=served)


def _agreement(view: RunView, event: MeasurementTaken) -> Agreement | None:
    """How a split check judges; None for every other check."""
    check = check_of(view, event)
    return check.judgement if check is not None and isinstance(check.judgement, Agreement) else None


def _served(agreement: Agreement, event: MeasurementTaken) -> dict[str, Mapping[str, float]]:
    """What a split check saw served, by subset; labels become subsets again where one label is one subset."""
    shares = facts(event).get("shares")
    if not isinstance(shares, Mapping):
        return {}
    route, subset_of = agreement.route, {label: subset for subset, label in agreement.labels}
    by_subset: dict[str, float] = {
        subset_of.get(str(label), str(label)): share for label, share in shares.items()
    }
    return {} if route is None else {route: by_subset}


def _rollback(view: RunView, event: RollbackEvent) -> RunView:
    match event:
        case RollbackStarted():
            back = RollbackView(event.at, event.reason, event.cause, event.to)
            safe = {**view.safe, **event.to}
            return replace(view, rollback=back, safe=safe, gate=None, reason=event.reason)
        case RollbackFinished():
            if view.rollback is None:
                return view
            back = replace(view.rollback, ended=event.at, verified=event.verified, trouble=event.reason)
            return replace(view, rollback=back)
        case _:
            assert_never(event)
