"""What stages, splits and checks are called on screens and in lines; symbols are spelled by the terminal."""

from collections.abc import Iterable
from typing import assert_never

from runner.engine.judged import number, percent, percent_bound, with_unit
from runner.model.checks import Agreement, Allow, Bounds, Check, Comparison, Ratio, Verdict
from runner.model.split import Split
from runner.model.stages import Apply, Approve, Promote, Scale, Shift, Stage, Verify, Wait
from runner.reports.escape import escape
from runner.reports.figures import duration, plural


def does(stage: Stage) -> str:
    """What a stage does, in a few words."""
    match stage.kind:
        case Apply(manifests=manifests, if_absent=if_absent):
            return plural(len(manifests), "object") + (", only what is missing" if if_absent else "")
        case Shift(route=route, split=split):
            return f"{escape(route)} {weights(split)}"
        case Wait(duration=seconds):
            return f"wait {duration(seconds)}"
        case Verify(checks=checks, every=every, count=count):
            asked = ", ".join(f"{escape(check.name)} {bound(check)}" for check in checks)
            return f"{asked} · {count} times, every {duration(every)}"
        case Scale(deployment=deployment, replicas=replicas, like=like):
            return f"{escape(deployment)} to {_size(replicas, like)}"
        case Approve(message=message):
            return one_line(message)
        case Promote(route=route):
            return f"{escape(route)}: the canary becomes stable"
        case _:
            assert_never(stage.kind)


def _size(replicas: int | None, like: str | None) -> str:
    return f"as many as {escape(like)}" if like is not None else plural(replicas or 0, "replica")


def weights(split: Split) -> str:
    """`v1 80 / v3 20`."""
    return escape(str(split))


def moved(before: Split | None, after: Split) -> str:
    """`v1 100→80, v3 0→20`, subset by subset."""
    if before is None:
        return f"{weights(after)} (no weights before)"
    if before == after:
        return f"{weights(after)}, as it was"
    subsets = sorted({*before, *after})
    return ", ".join(f"{escape(subset)} {before[subset]}→{after[subset]}" for subset in subsets)


def bound(check: Check) -> str:
    """What a check allows: `≤ 1 %`, `≥ 99 %`, `1 ms to 5 ms`, `within 10 points`."""
    match check.judgement:
        case Bounds(min=low, max=high):
            low_text, high_text = _limit(check, low), _limit(check, high)
            if low is not None and high is not None:
                return f"{low_text} to {high_text}"
            return f"≤ {high_text}" if high is not None else f"≥ {low_text}"
        case Agreement(tolerance=tolerance):
            return f"≤ {number(tolerance)} points"
        case Comparison(allow=Allow.POINTS, allowance=allowance):
            return f"≤ stable + {number(100 * allowance)} points"
        case Comparison(allowance=allowance):
            return f"≤ stable + {percent_bound(allowance)}"
        case _:
            assert_never(check.judgement)


def _limit(check: Check, limit: float | None) -> str:
    if limit is None:
        return ""
    return percent_bound(limit) if isinstance(check.measure, Ratio) else escape(with_unit(limit, check.unit))


def value_of(check: Check | None, value: float | None) -> str:
    """A measured value as the check's kind reads it: `0.21 %`, `48 ms`, `off by 1.2`."""
    if value is None:
        return "no value"
    if check is None:
        return number(value)
    match check.measure, check.judgement:
        case _, Agreement():
            return f"off by {number(value)}"
        case _, Comparison():
            return f"stable {value * 100:+.2g} points"
        case Ratio(), _:
            return percent(value)
        case _:
            return escape(with_unit(value, check.unit))


def relation(check: Check | None, value: float | None, verdict: Verdict) -> str:
    """Value, comparator and threshold: `0.21 % ≤ 1 %`, `3.0 % > 1 %`, `7 ms outside 1 ms to 5 ms`."""
    said = value_of(check, value)
    if check is None or value is None:
        return said
    if verdict is Verdict.INCONCLUSIVE:
        return f"{said}, wanted {bound(check)}"
    good = verdict is Verdict.PASSED
    match check.judgement:
        case Bounds(min=low, max=high) if low is not None and high is not None:
            return f"{said} {'within' if good else 'outside'} {bound(check)}"
        case Agreement():
            return f"{said} {'≤' if good else '>'} {bound(check)[2:]}"
        case Bounds(max=high):
            sign = ("≤" if good else ">") if high is not None else ("≥" if good else "<")
            return f"{said} {sign} {bound(check)[2:]}"
        case _:
            return f"{said}, {bound(check)}" if good else f"{said}, not {bound(check)}"


def told(reason: str) -> str:
    """A reason on one line, without the verdict at its end: the word before it says that."""
    return one_line(reason).removesuffix(": failed").removesuffix(": inconclusive")


def one_line(text: str) -> str:
    """Foreign text on one line; its line breaks become `; `."""
    return "; ".join(escape(line.strip()) for line in text.splitlines() if line.strip())


def joined(parts: Iterable[str]) -> str:
    """The parts that say something, with a dot between."""
    return " · ".join(part for part in parts if part)
