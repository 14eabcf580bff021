"""The last words of a run: how it ended, where the traffic is, and what a person can do now."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import assert_never

from runner.engine.events import Outcome
from runner.errors import ExitCode
from runner.model.playbook import Route
from runner.reports.by_hand import kubectl_look, way_back
from runner.reports.certainty import certain, unknown
from runner.reports.escape import escape
from runner.reports.figures import clock, duration, plural
from runner.reports.terminal import Terminal, Tone
from runner.reports.view import Exposure, RunView, StageStatus, Standing
from runner.reports.wording import joined, one_line, told, weights

LABEL, MOST_NAMES = 9, 10


@dataclass(frozen=True, slots=True)
class Said:
    """One line, in its tone."""

    text: str
    tone: Tone = Tone.PLAIN


def last_words(view: RunView, terminal: Terminal, *, handle: str = "") -> list[str]:
    """The end of *view* in lines; *handle* is what `resume` wants: the run id, or a state file elsewhere."""
    handle = one_line(handle or shlex.quote(view.run))
    return _painted((*_ending(view, handle, terminal.zone), *_exposed(view, handle)), terminal)


def standing(view: RunView, terminal: Terminal, *, handle: str = "", watched: bool = False) -> list[str]:
    """Where a run stands that was not taken up: what is known of its traffic, and the way back.

    *watched* where another process has it; nothing where it has had its last word.
    """
    handle = one_line(handle or shlex.quote(view.run))
    if view.outcome is not None:
        return []
    alarm = [] if watched else _exposed(view, handle)
    return _painted((*_known(view, terminal.zone), *_ways_back(view, handle), *alarm), terminal)


def _painted(said: Sequence[Said], terminal: Terminal) -> list[str]:
    return [terminal.paint(terminal.spell(line.text), line.tone) for line in said]


def _ending(view: RunView, handle: str, zone: tzinfo | None) -> list[Said]:
    match view.standing:
        case Outcome.SUCCEEDED:
            return _succeeded(view, handle)
        case Outcome.ROLLBACK_FAILED:
            return _failed(view, handle, zone)
        case Outcome() as outcome:
            return _went_back(view, outcome, zone)
        case (
            Standing.STOPPED
            | Standing.PAUSED
            | Standing.INTERRUPTED
            | Standing.RUNNING
            | Standing.WAITING
            | Standing.ROLLING_BACK
        ):
            return _stands(view, handle, zone)
        case _:
            assert_never(view.standing)


def _succeeded(view: RunView, handle: str) -> list[Said]:
    moved = {move.route for move in view.moves}
    if not moved and view.already:
        return [Said(f"Nothing to do: {_already(view)}.", Tone.GOOD)]
    word = "Promoted" if view.promoted else "Succeeded"
    said = [Said(f"{word}: {joined((_traffic(view) or 'no route was moved', _length(view)))}.", Tone.GOOD)]
    if view.promoted & moved:
        said.append(_line("go back", f"runner rollback {handle}"))
    return said


def _already(view: RunView) -> str:
    routes = [
        route for route in (view.playbook.routes if view.playbook else ()) if route.name in view.already
    ]
    return "; ".join(
        f"{one_line(r.canary)} had all the traffic of {one_line(r.name)} before this run" for r in routes
    )


def _went_back(view: RunView, outcome: Outcome, zone: tzinfo | None) -> list[Said]:
    word = {Outcome.REJECTED: "Rejected", Outcome.ABORTED: "Aborted"}.get(outcome, "Rolled back")
    tone = Tone.GOOD if outcome is Outcome.ROLLED_BACK else Tone.BAD
    said = [Said(_sentence(_headline(word, view.reason or "by command")), tone)]
    back = f"Users are back: {_traffic(view)}{_read_back(view, zone)}."
    said.append(Said(back if view.moves else "No traffic had moved."))
    said += [_line("unknown", unknown(view))] if view.open else []
    said += [_line("failed", _failures(view))] if view.failures is not None else []
    said += _applied(view)
    if view.source and outcome is not Outcome.ROLLED_BACK:
        again = shlex.join(["runner", "play", *map(one_line, (view.source, *view.asked))])
        said.append(_line("again", f"{again}   a new run; this one is closed"))
    return said


def _headline(word: str, reason: str) -> str:
    """`Rejected: why`; a reason that begins with the word itself is not told twice."""
    reason = told(reason)
    if reason.lower().startswith(word.lower()):
        return word + reason[len(word) :]
    return f"{word}: {reason}"


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _read_back(view: RunView, zone: tzinfo | None) -> str:
    back = view.rollback
    if back is None or back.ended is None or not back.to:
        return ""
    took = back.ended - back.started
    after = f" (after {duration(took)})" if took >= 1 else ""
    return f", read back at {clock(back.ended, zone)}{after}"


def _known(view: RunView, zone: tzinfo | None) -> list[Said]:
    return [_line("certain", certain(view, zone)), _line("unknown", unknown(view))]


def _failures(view: RunView) -> str:
    known = view.failures
    if known is None:
        return ""
    share = f", {100 * known.failed / known.of:.1f} %" if known.of else ""
    return f"{known.failed:,} of {known.of:,} requests{share}, while the canary had traffic"


def _applied(view: RunView) -> list[Said]:
    """What a rollback leaves: applied objects stay, and are named, kind by kind."""
    names: dict[str, list[str]] = {}
    for named in dict.fromkeys(one_line(name) for stage in view.stages for name in stage.applied):
        kind, _, name = named.partition("/")
        names.setdefault(kind, []).append(name)
    return [
        _line("" if n else "stays", f"{kind} {_some(known)}") for n, (kind, known) in enumerate(names.items())
    ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _failed(view: RunView, handle: str, zone: tzinfo | None) -> list[Said]:
    """Red, with the weights as last known and the lines that mend them by hand."""
    trouble = view.rollback.trouble if view.rollback is not None else ""
    first, *more = (trouble or view.reason).splitlines() or [""]
    said = [Said("ROLLBACK FAILED: traffic is not known to be safe. Wake somebody.", Tone.BAD)]
    said += [_line("why", told(first)), *_further(more), *_known(view, zone)]
    for route in view.playbook.routes if view.playbook else ():
        if route.name not in view.splits or route.name not in view.safe:
            continue
        said.append(_line("wanted", f"{one_line(route.name)} at {weights(view.safe[route.name])}"))
        said += [] if _is_gone(route, first) else [_by_hand(view, route)]
        said.append(_line("look", kubectl_look(route, context=_context(view))))
    return [*said, _line("try again", f"runner rollback {handle}")]


def _is_gone(route: Route, reason: str) -> bool:
    """Whether there is no object any more whose weights a person could set."""
    return f"VirtualService {route.namespace}/{route.virtual_service} is gone" in reason


def _further(lines: Sequence[str]) -> list[Said]:
    return [Said(f"  {escape(line)}") for line in lines]  # what is to be pasted keeps its indentation


def _context(view: RunView) -> str | None:
    context = view.target.get("context")
    return str(context) if context else None


def _stands(view: RunView, handle: str, zone: tzinfo | None) -> list[Said]:
    """Paused, interrupted, or left without a word."""
    asked = view.standing is Standing.STOPPED
    word = view.standing.value.capitalize() if view.stopped is not None else "Interrupted"
    first, *more = _reason(view, handle) or [""]
    headline = _sentence(joined((_headline(word, first.rstrip(":")), _where(view))))
    said = [Said(headline, Tone.GOOD if asked else Tone.WARN)]
    said += _further([line for line in more if not _DRIFT.search(line)])
    said += [] if asked else _known(view, zone)
    resume, back = _resume(view, handle), f"runner rollback {handle}"
    said.append(_line("resume", f"{resume:<{len(back)}}   {_goes_on(view)}"))
    return [*said, *_ways_back(view, handle)]


_DRIFT = re.compile(r"runner resume .+ --accept-drift [0-9a-f]+")


def _reason(view: RunView, handle: str) -> list[str]:
    reason = view.stopped.reason if view.stopped is not None else "the process ended without a word"
    return reason.replace(f" {view.run}", f" {handle}").splitlines()


def _resume(view: RunView, handle: str) -> str:
    """The command that goes on; where somebody has changed a route, the one that says so."""
    found = next((found for line in _reason(view, handle) if (found := _DRIFT.search(line))), None)
    return f"runner resume {handle}" if found is None else found[0]


def _ways_back(view: RunView, handle: str) -> list[Said]:
    if not view.splits:
        return []
    back = _line("go back", f"runner rollback {handle}   {_safe(view)}".rstrip())
    first, *_ = _reason(view, handle) or [""]
    exposed = [exposure.route for exposure in view.exposed if not _is_gone(exposure.route, first)]
    return [back, *(_by_hand(view, route) for route in exposed)]


def _by_hand(view: RunView, route: Route) -> Said:
    on = "on a real cluster: " if view.sandbox else ""
    return _line("by hand", f"{on}{way_back(view, route)}")


def _where(view: RunView) -> str:
    stage = view.current or next((s for s in view.stages if s.status is StageStatus.FAILED), None)
    if stage is None:
        done = sum(stage.status in (StageStatus.SUCCEEDED, StageStatus.SKIPPED) for stage in view.planned)
        return f"{done} of {plural(len(view.planned), 'stage')} done"
    number = view.number(stage.name)
    return f"in stage {number}/{view.count} {one_line(stage.name)}" if number else ""


def _goes_on(view: RunView) -> str:
    open_ = (s for s in view.planned if s.status in (StageStatus.FAILED, StageStatus.PENDING))
    stage = view.current or next(open_, None)
    return f"goes on with {one_line(stage.name)}" if stage is not None else "goes on"


def _safe(view: RunView) -> str:
    moved = {move.route for move in view.moves}
    goals = [
        f"{one_line(name)} to {weights(split)}" for name, split in sorted(view.safe.items()) if name in moved
    ]
    return ", ".join(goals)


def _exposed(view: RunView, handle: str) -> list[Said]:
    """The very last line, whenever a canary has traffic and its run has left."""
    if view.outcome is Outcome.ROLLBACK_FAILED or not (view.exposed or view.unsure):
        return []
    maybe = (_so_much(exposure, "may be on") for exposure in view.unsure)
    shares = ", ".join((*(_share(view, exposure) for exposure in view.exposed), *maybe))
    back = f"`runner rollback {handle}`"
    then = back if view.outcome is not None else f"`{_resume(view, handle)}` or {back}"
    return [Said(f"{shares} and nobody is watching it: {then}", Tone.WARN)]


def _share(view: RunView, exposure: Exposure) -> str:
    """What the record says; where the world disagreed with it, or a later write is open, that is the past."""
    route, stopped = exposure.route, view.stopped
    disagreed = stopped is not None and stopped.code == ExitCode.DISAGREEMENT
    return _so_much(exposure, "was put on" if disagreed or _is_written(view, route) else "is on")


def _so_much(exposure: Exposure, on: str) -> str:
    return f"{exposure.share} % of {one_line(exposure.route.name)} {on} {one_line(exposure.route.canary)}"


def _is_written(view: RunView, route: Route) -> bool:
    """Whether a write to the object of *route* was begun whose end is not recorded."""
    return any(open_.ref.weighs(route) for open_ in view.open.values())


def _traffic(view: RunView) -> str:
    return ", ".join(
        f"{one_line(route)} is at {weights(split)}" for route, split in sorted(view.splits.items())
    )


def _length(view: RunView) -> str:
    stages = plural(sum(stage.status is StageStatus.SUCCEEDED for stage in view.stages), "stage")
    if view.started is None or view.ended is None:
        return stages
    return f"{stages} in {duration(view.ended - view.started)}"


def _line(label: str, text: str) -> Said:
    return Said(f"  {label:<{LABEL}} {text}")
