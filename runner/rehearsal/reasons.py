"""Why a gate that should have said something did not: asked of the world itself, one selector at a time."""

from collections.abc import Iterable, Iterator, Mapping

from runner.engine.judged import bounds_json, number
from runner.model.checks import Agreement, Bounds, Check
from runner.model.evidence import Answer
from runner.promql import Matcher, SelectorFacts, inspect
from runner.promql.errors import PromQLError
from runner.rehearsal.cells import Cell
from runner.rehearsal.playing import Ask

RECENT = "10m"
MOST_VALUES = 6


def culprit(check: Check, parts: Iterable[str], ask: Ask) -> str | None:
    """The one matcher without which a selector that finds nothing would find something, in words."""
    for part in parts:
        for selector in _selectors(check, part):
            found = _culprit_of(selector, ask)
            if found is not None:
                return found
    return None


def _selectors(check: Check, part: str) -> tuple[SelectorFacts, ...]:
    try:
        return inspect(check.queries[part].text).selectors
    except PromQLError:
        return ()


def _culprit_of(selector: SelectorFacts, ask: Ask) -> str | None:
    if _finds(selector.matchers, ask):
        return None
    for matcher in selector.matchers:
        rest = tuple(other for other in selector.matchers if other is not matcher)
        if matcher.name != "__name__" and _finds(rest, ask):
            return _said(selector, matcher, _values_of(matcher.name, rest, ask))
    return None


def _said(selector: SelectorFacts, matcher: Matcher, values: list[str]) -> str:
    if not values:
        return f'{selector.metric} has no label "{matcher.name}"'
    shown = ", ".join(values[:MOST_VALUES]) + (", ..." if len(values) > MOST_VALUES else "")
    return f"{selector.metric} with {matcher} does not exist; {matcher.name} is {shown}"


def _finds(matchers: tuple[Matcher, ...], ask: Ask) -> bool:
    answer = ask(f"count({_recent(matchers)})")
    return isinstance(answer, Answer) and bool(answer.samples)


def _values_of(label: str, matchers: tuple[Matcher, ...], ask: Ask) -> list[str]:
    answer = ask(f"count by ({label}) ({_recent(matchers)})")
    samples = answer.samples if isinstance(answer, Answer) else ()
    return sorted({sample.labels[label] for sample in samples if sample.labels.get(label)})


def _recent(matchers: tuple[Matcher, ...]) -> str:
    return f"last_over_time({{{', '.join(str(matcher) for matcher in matchers)}}}[{RECENT}])"


def why_silent(
    check: Check, cells: Mapping[str, Cell], ask: Ask, *, stable: str, fires_on_stable: bool
) -> str:
    """Why no fault of the canary makes *check* fail; *ask* is of the world of errors."""
    if fires_on_stable:
        return f"it fails when {stable}, the stable version, fails: it does not look at the canary"
    if not any(_selectors(check, part) for part in check.queries):
        return "its query selects no series: it reads a constant"
    wrong = culprit(check, check.queries, ask)
    if wrong is not None:
        return wrong
    return _unmoved(check, list(_values(cells)))


def _values(cells: Mapping[str, Cell]) -> Iterator[float]:
    for cell in cells.values():
        yield from cell.values or ()


def _unmoved(check: Check, values: list[float]) -> str:
    if not values:
        return "it never measures anything"
    low, high = min(values), max(values)
    if low == high:
        return f"its value is {number(low)} whatever happens to the canary: it does not look at it"
    return f"its value goes from {number(low)} to {number(high)}, and {_bound(check)} allows all of that"


def _bound(check: Check) -> str:
    match check.judgement:
        case Bounds() as bounds:
            return " and ".join(f"`{name}: {number(bound)}`" for name, bound in bounds_json(bounds).items())
        case Agreement(tolerance=tolerance):
            return f"`tolerance: {number(tolerance)}`"
        case _:
            return "`allow`"
