"""The order of stages: what is judged before it grows, before it is promoted, and before the run ends."""

from collections.abc import Iterator
from typing import Final

from runner.document.draft import Draft, StageDraft
from runner.document.durations import seconds
from runner.document.rules.moves import Move, followed, moves, stable_of
from runner.document.rules.promql import facts, looks_at_canary
from runner.errors import Diagnostic

HALF: Final = 50  # percent of a route's traffic
FEW_LOOKS: Final = 3  # from so many on a comparison at half of the traffic keeps its chance of a false alarm
JUMP: Final = 25
"""Points of the whole that a canary may gain without a gate in between."""


def jumps(draft: Draft) -> Iterator[Diagnostic]:
    """A canary grows in steps that something has judged."""
    for move in moves(draft):
        grown = _growth(move)
        if move.by_apply or grown is None:
            continue
        subset, before, after = grown
        if after - before > JUMP and not (move.judged and before):
            if before:
                message = (
                    f'"{subset}" goes from {before} % to {after} %, and nothing has judged it at {before} %'
                )
                hint = "put a verify or an approve stage before it"
            else:
                message = f'"{subset}" gets {after} % at once: nothing has judged it at less'
                hint = f"begin with {JUMP} % or less"
            yield draft.warn("RUN601", message, _weight_path(move.stage), hint=hint)


def _growth(move: Move) -> tuple[str, int, int] | None:
    """The subset on trial that gains most, with its weights before and after."""
    if move.before is None:
        return None
    others = [name for name in move.after if name != stable_of(move.route)]
    gained = [(move.after[name] - move.before.get(name, 0), name) for name in others]
    if not gained:
        return None
    name = max(gained)[1]
    return name, move.before.get(name, 0), move.after[name]


def identity(draft: Draft) -> Iterator[Diagnostic]:
    """Evidence about one version says nothing about the next."""
    for move in moves(draft):
        stable = stable_of(move.route)
        before = {name for name in move.before or {} if name != stable}
        after = {name for name in move.after if name != stable}
        if move.by_apply or not before or not after - before or before <= after:
            continue
        new, old = min(after - before), min(before - after)
        message = f'the canary changes: the traffic so far went to "{old}", and "{new}" has had none'
        hint = "release one version at a time, from a small share on"
        yield draft.warn("RUN602", message, _weight_path(move.stage), hint=hint)


def unwatched(draft: Draft) -> Iterator[Diagnostic]:
    """Guards look at the route's canary; a third version has nobody."""
    for move in moves(draft):
        known = {stable_of(move.route), str(move.route.body["canary"])}
        strangers = sorted(set(move.after) - known)
        if "stable" not in move.route.body and len(strangers) == 1:
            continue  # it is the stable one, whose name only the cluster knows
        if strangers and not move.by_apply:
            message = f'"{strangers[0]}" is neither stable nor canary of the route "{move.route.name}"'
            hint = "no guard watches it, and a rollback takes all its traffic away"
            yield draft.warn("RUN603", message, _weight_path(move.stage), hint=hint)


def promoted_unseen(draft: Draft) -> Iterator[Diagnostic]:
    """Promote closes the automatic way back, so all the traffic should have been looked at first."""
    moved = moves(draft)
    if not followed(draft):
        return
    for index, stage in enumerate(draft.stages):
        route = draft.routes.get(str(stage.body.get("route"))) if stage.kind == "promote" else None
        if route is None or not route.sound or not stage.sound:
            continue
        last = next((m for m in reversed(moved) if m.route is route and m.number < index), None)
        whole = last is not None and last.after.get(str(route.body["canary"])) == 100
        seen = last and any(s.kind == "verify" for s in draft.stages[last.number : index])
        if not (whole and seen):
            message = f'"{route.name}" is promoted without a verify at 100 %'
            hint = "shift to 100, verify, and promote then"
            yield draft.warn("RUN604", message, (*stage.path, "promote"), on_key=True, hint=hint)


def after_promote(draft: Draft) -> Iterator[Diagnostic]:
    """What was promoted is stable: there is no canary left to shift to."""
    promoted: dict[str, StageDraft] = {}
    for stage in draft.stages:
        route = str(stage.body.get("route"))
        if stage.kind in {"shift", "promote"} and route in promoted and stage.sound:
            message = f'stage "{promoted[route].name}" has promoted "{route}" already'
            yield draft.say("RUN605", message, (*stage.body_path, "route"), hint="promote last")
        if stage.kind == "promote":
            promoted.setdefault(route, stage)


def verify_too_early(draft: Draft) -> Iterator[Diagnostic]:
    """A gate on a canary that has no traffic yet finds no evidence."""
    if not draft.routes or not followed(draft):
        return
    begun = min((m.number for m in moves(draft) if str(m.route.body["canary"]) in m.after), default=None)
    for stage in draft.stages[:begun]:
        for use in draft.uses(stage) if stage.kind == "verify" else ():
            check = use.check
            if check and check.sound and "split" not in check.body and looks_at_canary(draft, check):
                message = f'the check "{check.name}" looks at the canary, which has no traffic yet'
                yield draft.warn("RUN606", message, use.path, hint="shift some traffic first")


def against_few(draft: Draft) -> Iterator[Diagnostic]:
    """A comparison needs a stable version with as many requests as the canary.

    Prometheus does not count the failure that a new series begins with: where stable's failures begin with the shift,
    the side with the fewer requests looks too good, and that side should not be stable's.
    """
    for number, stage in enumerate(draft.stages):
        share = _canary_share(draft, number)
        few = share is not None and (share > HALF or (share == HALF and _looks(stage) < FEW_LOOKS))
        for use in draft.uses(stage) if stage.kind == "verify" and few else ():
            if use.check and use.check.sound and use.check.measure == "compare":
                message = f'"{use.check.name}" compares with a stable version that has {100 - (share or 0)} %'
                hint = "compare at shares below 50, and judge by a bound from there on"
                yield draft.warn("RUN521", message, use.path, hint=hint)


def _canary_share(draft: Draft, number: int) -> int | None:
    """The largest share that a canary has at the stage *number*; None where nobody has moved one."""
    last = {move.route.name: move for move in moves(draft) if move.number < number}
    shares = [move.after.get(str(move.route.body["canary"]), 0) for move in last.values()]
    return max(shares, default=None)


def _looks(stage: StageDraft) -> int:
    count = stage.body.get("count")
    return count if isinstance(count, int) else FEW_LOOKS


def short_soaks(draft: Draft) -> Iterator[Diagnostic]:
    """A window that reaches back before the shift mixes the old split in, so verify waits for the rest."""
    soaked: list[StageDraft] | None = None
    for stage in draft.stages:
        if stage.kind == "shift":
            soaked = []
        elif stage.kind == "wait" and stage.duration and stage.sound and soaked is not None:
            soaked.append(stage)
        elif stage.kind == "verify" and soaked:
            yield from _short_soak(draft, stage, soaked)
            soaked = None


def _short_soak(draft: Draft, stage: StageDraft, soaked: list[StageDraft]) -> Iterator[Diagnostic]:
    length = sum(seconds(each.duration or "1s") for each in soaked)
    for use in draft.uses(stage):
        windows = [_window(text) for _, text in use.check.queries] if use.check else []
        if max(windows, default=0.0) > length:
            message = (
                f'the soak of {length:g}s is shorter than the window of {max(windows):g}s of "{use.asked}"'
            )
            hint = f'stage "{stage.name}" waits for the rest of it'
            yield draft.warn("RUN607", message, (*soaked[-1].path, "wait"), hint=hint)
            return


def _window(query: str) -> float:
    found = facts(query)
    return 0.0 if isinstance(found, str) else found.longest_window or 0.0


def applied_again(draft: Draft) -> Iterator[Diagnostic]:
    """Applying a VirtualService sets its weights, wherever they stood."""
    shifted: dict[str, str] = {}
    for move in moves(draft):
        name = move.route.name
        if move.by_apply and name in shifted:
            message = f'this sets the weights of "{name}" anew, which stage "{shifted[name]}" has shifted'
            hint = "apply it before the first shift, or with ifAbsent: true"
            yield draft.warn("RUN608", message, (*move.stage.body_path, "files"), hint=hint)
        if not move.by_apply:
            shifted[name] = move.stage.name


def left_alone(draft: Draft) -> Iterator[Diagnostic]:
    """After the last stage nobody watches: traffic is either all on stable, or promoted."""
    promoted = {stage.body.get("route") for stage in draft.stages if stage.kind == "promote"}
    last = {move.route.name: move for move in moves(draft)}
    for name, move in last.items():
        share = move.after.get(str(move.route.body["canary"]), 0)
        if share and name not in promoted and not move.by_apply:
            message = f'the run ends with {share} % of "{name}" on the canary, and nobody watching it'
            hint = "verify and promote it, or shift it back"
            yield draft.warn("RUN609", message, _weight_path(move.stage), hint=hint)


def _weight_path(stage: StageDraft) -> tuple[str | int, ...]:
    key = next((key for key in ("canary", "weights", "files") if key in stage.body), None)
    return (*stage.body_path, key) if key else stage.body_path


RULES: Final = (
    jumps,
    identity,
    unwatched,
    promoted_unseen,
    after_promote,
    verify_too_early,
    against_few,
    short_soaks,
    applied_again,
    left_alone,
)
