"""Checks: known where used, used where declared, a measure and a judgement that go together."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from runner.document.draft import BOUNDS, JUDGEMENTS, MEASURES, USE_KEYS, CheckDraft, Draft
from runner.document.suggest import did_you_mean, quoted
from runner.document.tree import Path
from runner.errors import Diagnostic

REPEATABLE: Final = (USE_KEYS | {*BOUNDS}) - {"name"}


def known(draft: Draft) -> Iterator[Diagnostic]:
    """Every check that is used is declared."""
    for use in draft.every_use:
        if use.asked is not None and use.asked not in draft.checks:
            at_name = (*use.path, "check") if draft.document.has((*use.path, "check")) else use.path
            declared = list(draft.checks)
            hint = did_you_mean(use.asked, declared) or (
                f"declared are {quoted(declared)}" if declared else "declare it under checks"
            )
            yield draft.say("RUN501", f'there is no check "{use.asked}"', at_name, hint=hint)


def used(draft: Draft) -> Iterator[Diagnostic]:
    """A check that no stage and no guard asks."""
    asked = {use.asked for use in draft.every_use}
    for check in draft.checks.values() if draft.whole else ():
        if check.name not in asked:
            message, hint = f'nothing asks the check "{check.name}"', "use it in a verify stage or a guard"
            yield draft.warn("RUN502", message, check.path, on_key=True, hint=hint)


def whole(draft: Draft) -> Iterator[Diagnostic]:
    """A measure and a judgement; a guard or an item of verify names a check or is one."""
    for check in draft.written:
        for keys, what in ((MEASURES, "measures nothing"), (JUDGEMENTS, "judges nothing")):
            if check.sound and not any(key in check.body for key in keys):
                message = f'the check "{check.name}" {what}, expected one of {quoted(keys)}'
                yield draft.say("RUN503", message, check.path, on_key=check.declared is not None)
    for use in draft.every_use:
        if use.check is None and use.asked is None and draft.sound(use.path):
            yield draft.say("RUN503", 'this names no check: "check" is missing', use.path, hint="check: NAME")


def named_once(draft: Draft) -> Iterator[Diagnostic]:
    """A check by name takes another bound, and nothing else."""
    for use in draft.every_use:
        if use.asked is None or use.check is None:
            continue
        said = _said(draft, use.path)
        for key in said.keys() - REPEATABLE:
            message = f'"{key}" of the declared check "{use.asked}" cannot be given anew here'
            hint = "only its bound can: declare a second check"
            yield draft.say("RUN504", message, (*use.path, key), on_key=True, hint=hint)
        yield from _same_bound(draft, use.path, said, draft.checks[use.asked])


def _same_bound(draft: Draft, path: Path, said: dict[str, Any], declared: CheckDraft) -> Iterator[Diagnostic]:
    for key in BOUNDS:
        if key in said and key not in declared.body and declared.sound:
            has = next((name for name in JUDGEMENTS if name in declared.body), "no bound")
            message = f'the check "{declared.name}" is judged by "{has}", which "{key}" cannot replace'
            yield draft.say("RUN504", message, (*path, key), on_key=True, hint="declare a second check")


def fitting(draft: Draft) -> Iterator[Diagnostic]:
    """Judgements and settings that belong to another measure."""
    for check in draft.written:
        if not check.sound:
            continue
        if "split" in check.body and check.measure != "query" and check.measure is not None:
            message = f'"split" judges the series of a query, and the check "{check.name}" measures none'
            yield draft.say("RUN505", message, (*check.path, "split"), on_key=True)
        if "minSamples" in check.body and check.measure == "query":
            message = '"minSamples" counts requests, and a query does not say how many it saw'
            yield draft.say(
                "RUN505", message, (*check.path, "minSamples"), on_key=True, hint="measure a ratio"
            )
        if "reduce" in check.body and (check.measure != "query" or "split" in check.body):
            message = '"reduce" is for a query that is held against a bound'
            yield draft.say("RUN505", message, (*check.path, "reduce"), on_key=True, hint="take it out")


def split_of_something(draft: Draft) -> Iterator[Diagnostic]:
    """A split is compared with a route's weights or with given shares."""
    for check in draft.written:
        split = check.body.get("split")
        if check.sound and isinstance(split, dict) and "route" not in split and "expect" not in split:
            hint = f"route: {next(iter(draft.routes))}" if draft.routes else "expect: {v1: 50, v2: 50}"
            message = f'split of the check "{check.name}" needs "route" or "expect"'
            yield draft.say("RUN112", message, (*check.path, "split"), on_key=True, hint=hint)


def bounds_can_fail(draft: Draft) -> Iterator[Diagnostic]:
    """A bound that every possible value keeps is no gate."""
    for path, check, said in _bounded(draft):
        if not check.sound or check.measure != "ratio":
            continue
        low, high = said.get("min"), said.get("max")
        if isinstance(high, int | float) and high >= 1:
            message = f'"max" of the check "{check.name}" can never fail: a ratio is never more than 1'
            yield draft.say("RUN506", message, (*path, "max"), hint=f"{high} percent is {high / 100:g}")
        if isinstance(low, int | float) and low <= 0:
            message = f'"min" of the check "{check.name}" can never fail: a ratio is never less than 0'
            yield draft.say("RUN506", message, (*path, "min"))


def _bounded(draft: Draft) -> Iterator[tuple[Path, CheckDraft, Mapping[str, Any]]]:
    """Every place where a bound may be written: its path, the check, and what is written there."""
    yield from ((check.path, check, check.body) for check in draft.written)
    for use in draft.every_use:
        if use.asked is not None and use.check is not None:
            yield use.path, use.check, _said(draft, use.path)


def between_in_order(draft: Draft) -> Iterator[Diagnostic]:
    """The smaller bound comes first."""
    for path, _, said in _bounded(draft):
        match said.get("between"):
            case [int() | float() as low, int() | float() as high] if low > high:
                message, hint = f"no value lies between {low} and {high}", f"write [{high}, {low}]"
                yield draft.say("RUN507", message, (*path, "between"), hint=hint)


def silence_passes(draft: Draft) -> Iterator[Diagnostic]:
    """A pass without evidence is a choice that deserves to be seen in review."""
    for check in draft.written:
        if check.body.get("noData") == "pass":
            message = f'the check "{check.name}" passes when there is no data at all'
            hint = "a wrong selector or a dead Prometheus would pass as well"
            yield draft.warn("RUN508", message, (*check.path, "noData"), hint=hint)


def _said(draft: Draft, path: Path) -> dict[str, Any]:
    found: Any = draft.tree
    for part in path:
        found = found[part]
    return found if isinstance(found, dict) else {}


RULES: Final = (
    known,
    used,
    whole,
    named_once,
    fitting,
    split_of_something,
    bounds_can_fail,
    between_in_order,
    silence_passes,
)
