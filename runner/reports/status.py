"""`runner status` and `runner runs`: where runs stand, as text and as JSON with stable keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runner.reports.figures import duration
from runner.reports.frame import Moment, frame
from runner.reports.measures import Measure
from runner.reports.summary import last_words
from runner.reports.terminal import Terminal, Tone, cells
from runner.reports.view import RunView, StageStatus, StageView, Standing
from runner.reports.wording import one_line, weights

FORMAT = 1
COLUMNS = ("RUN", "PLAYBOOK", "TARGET", "STAGE", "TRAFFIC", "STATE", "AGE", "BY")
MOST_CELL = 40
LISTED_BY = "kubectl get configmaps -A -l runner/state=first"  # one row a run whose state lies there


@dataclass(frozen=True, slots=True)
class Shown:
    """One run with what its file alone does not say: whether a process plays it now, and how to name it."""

    view: RunView
    living: bool
    handle: str

    @property
    def state(self) -> str:
        """One word; a run that nobody plays and that never said why is interrupted."""
        standing = self.view.standing
        if isinstance(standing, Standing) and self.view.stopped is None and not self.living:
            return Standing.INTERRUPTED.value
        return standing.value

    @property
    def unwatched(self) -> bool:
        """Whether a canary has traffic and no process watches it."""
        return bool(self.view.exposed) and not self.living


def status_lines(shown: Shown, now: float, terminal: Terminal, *, width: int) -> list[str]:
    """The picture of the live screen, without its last line, and what a person can do now."""
    view = shown.view
    at = now if shown.living else view.ended or view.at
    rows = frame(view, Moment(at, standing=shown.state), terminal, width, height=10_000)
    picture = [
        "".join(terminal.paint(span.text, span.tone) for span in row.spans).rstrip() for row in rows[:-1]
    ]
    ending = [] if shown.living else ["", *last_words(view, terminal, handle=shown.handle)]
    return [*picture, *ending]


def status_json(shown: Shown) -> dict[str, Any]:
    """Everything about one run, plain JSON; keys are added, never renamed."""
    view = shown.view
    return {
        **run_json(shown),
        "reason": view.reason or None,
        "started": _time(view.started),
        "at": _time(view.at),
        "ended": _time(view.ended),
        "sessions": view.sessions,
        "stages": [_stage_json(stage) for stage in view.stages],
        "safe": {route: split.as_dict() for route, split in view.safe.items()},
        "served": {route: dict(shares) for route, shares in view.served.items()},
        "checks": [_check_json(place, measure) for (place, _), measure in view.measures.items()],
        "gate": None
        if view.gate is None
        else {"message": view.gate.message, "until": _time(view.gate.until)},
        "rollback": _rollback_json(view),
    }


def run_json(shown: Shown) -> dict[str, Any]:
    """What `runner runs` says of one run."""
    view = shown.view
    return {
        "v": FORMAT,
        "run": view.run,
        "handle": shown.handle,
        "playbook": view.name,
        "version": view.version,
        "target": {key: view.target.get(key) for key in ("context", "namespace")},
        "sandbox": view.sandbox,
        "state": shown.state,
        "outcome": None if view.outcome is None else view.outcome.value,
        "living": shown.living,
        "stage": _current_json(view),
        "splits": {route: split.as_dict() for route, split in view.splits.items()},
        "exposed": [
            {"route": e.route.name, "subset": e.route.canary, "share": e.share} for e in view.exposed
        ],
        "unwatched": shown.unwatched,
        "by": view.by,
    }


def runs_table(runs: Sequence[Shown], now: float, terminal: Terminal) -> list[str]:
    """One row a run, newest first, and below it every run that nobody watches."""
    if not runs:
        return ["no runs here yet; `runner play FILE` begins one", f"in a cluster: {LISTED_BY}"]
    rows = [COLUMNS, *(_row(shown, now) for shown in runs)]
    wide = [min(max(cells(row[n]) for row in rows), MOST_CELL) for n in range(len(COLUMNS))]
    table = [
        "   ".join(terminal.fit(cell, w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows
    ]
    table[0] = terminal.paint(table[0], Tone.DIM)
    return [*table, *(line for shown in runs if shown.unwatched for line in _unwatched(shown, terminal))]


def _unwatched(shown: Shown, terminal: Terminal) -> list[str]:
    holds = ", ".join(
        f"{e.share} % of {one_line(e.route.name)} on {one_line(e.route.canary)}" for e in shown.view.exposed
    )
    handle = one_line(shown.handle)
    back = f"runner rollback {handle}"
    then = back if shown.view.outcome is not None else f"runner resume {handle}   or   {back}"
    first = f"{one_line(shown.view.run)} holds {holds}, and nobody is watching it."
    return ["", terminal.paint(terminal.spell(first), Tone.WARN), terminal.spell(f"  → {then}")]


def _row(shown: Shown, now: float) -> tuple[str, ...]:
    view = shown.view
    target = view.target.get("namespace") or ""
    where = "sandbox" if view.sandbox else str(view.target.get("context") or "")
    age = duration(max(0.0, now - view.started)) if view.started is not None else ""
    return (
        one_line(view.run),
        one_line(view.name),
        one_line(f"{where}/{target}".strip("/")),
        _stage_cell(view),
        ", ".join(f"{one_line(route)} {weights(split)}" for route, split in sorted(view.splits.items()))
        or "-",
        shown.state,
        age,
        one_line(view.by),
    )


def _stage_cell(view: RunView) -> str:
    stage = _place(view)
    if stage is None:
        return "-"
    number = view.number(stage.name)
    return one_line(f"{number}/{view.count} {stage.name}" if number else stage.name)


def _place(view: RunView) -> StageView | None:
    """Where the run stands: the stage that runs, or the newest that ran."""
    if view.outcome is not None:
        return None
    past = [stage for stage in view.stages if stage.status is not StageStatus.PENDING]
    return view.current or (past[-1] if past else None)


def _current_json(view: RunView) -> dict[str, Any] | None:
    stage = _place(view)
    if stage is None:
        return None
    return {"name": stage.name, "kind": stage.kind, "number": view.number(stage.name), "of": view.count}


def _stage_json(stage: StageView) -> dict[str, Any]:
    return {
        "name": stage.name,
        "kind": stage.kind,
        "status": stage.status.value,
        "attempt": stage.attempt,
        "started": _time(stage.started),
        "ended": _time(stage.ended),
        "note": stage.note or None,
        "applied": list(stage.applied),
    }


def _check_json(place: str, measure: Measure) -> dict[str, Any]:
    return {
        "check": measure.check,
        "stage": place or None,
        "at": _time(measure.last.at),
        "value": measure.last.value,
        "verdict": measure.last.verdict.value,
        "reason": measure.last.reason,
        "conclusive": measure.conclusive,
        "failed": measure.failed,
    }


def _rollback_json(view: RunView) -> dict[str, Any] | None:
    back = view.rollback
    if back is None:
        return None
    return {
        "reason": back.reason,
        "cause": back.cause.value,
        "to": {route: split.as_dict() for route, split in back.to.items()},
        "verified": back.verified,
        "trouble": back.trouble or None,
    }


def _time(at: float | None) -> str | None:
    """RFC 3339, UTC, milliseconds."""
    if at is None:
        return None
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
