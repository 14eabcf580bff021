"""Queries: PromQL that parses, and that can say no to a canary."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from runner.document.draft import CheckDraft, Draft
from runner.document.templates import names
from runner.document.tree import Path, at
from runner.errors import Diagnostic, RunnerError

if TYPE_CHECKING:
    from runner.promql.facts import QueryFacts

SCRAPE: Final = 15.0
"""Seconds between scrapes of Istio's own Prometheus; the window rule is four of them."""


@lru_cache(maxsize=4096)
def facts(query: str) -> "QueryFacts | str":
    """What can be said about *query*; a text where it is no PromQL: why."""
    from runner.promql.facts import inspect

    try:
        return inspect(query)
    except RunnerError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - a parser's panic is a text that does not parse
        return f"this cannot be parsed ({type(error).__name__})"


def parses(draft: Draft) -> Iterator[Diagnostic]:
    """The text is PromQL, and answers with numbers."""
    for path, text in _queries(draft):
        found = facts(text)
        if isinstance(found, str):
            yield draft.say("RUN510", f"PromQL: {found}", path, hint=_advice(found))
        elif found.kind.value not in {"scalar", "instant vector"}:
            message = f"PromQL: a {found.kind.value} is no number to judge"
            yield draft.say("RUN511", message, path, hint="rate() and increase() make numbers of a window")


def evaluable(draft: Draft) -> Iterator[Diagnostic]:
    """A cluster's Prometheus may know what the sandbox refuses to guess."""
    for path, text in _queries(draft):
        found = facts(text)
        for refused in found.refused if not isinstance(found, str) else ():
            message = f"the sandbox cannot evaluate this query: {refused.message}"
            yield draft.warn("RUN519", message, path, hint="it cannot be rehearsed")


def windows(draft: Draft) -> Iterator[Diagnostic]:
    """A window of fewer than four scrapes is often empty."""
    for path, text in _queries(draft):
        found = facts(text)
        shortest = None if isinstance(found, str) else found.shortest_window
        if shortest is not None and shortest < 4 * SCRAPE:
            message = (
                f"a window of {shortest:g}s holds fewer than four scrapes, if they are {SCRAPE:g}s apart"
            )
            yield draft.warn("RUN512", message, path, hint=f"use [{4 * SCRAPE / 60:g}m] or more")


def snapshots(draft: Draft) -> Iterator[Diagnostic]:
    """`irate` looks at two samples: between two measurements most of the time goes unseen."""
    for check in _bounded(draft):
        for path, text in check.queries:
            found = facts(text)
            if not isinstance(found, str) and found.uses_irate:
                message = f'the check "{check.name}" judges two samples only: irate sees one scrape'
                yield draft.warn("RUN513", message, (*check.path, *path), hint="use rate() or increase()")


def comparisons(draft: Draft) -> Iterator[Diagnostic]:
    """`... < 0.01` drops the series that fails, so that no and no data look the same."""
    for path, text in _queries(draft):
        found = facts(text)
        if not isinstance(found, str) and found.filters:
            message = "a comparison drops the series that fail it: no and no data look the same"
            yield draft.warn(
                "RUN514", message, path, hint="leave it out, and write max or min beside the query"
            )


def counts(draft: Draft) -> Iterator[Diagnostic]:
    """A ratio is judged by how many requests it saw; rates have forgotten that."""
    for check in draft.written:
        if check.measure == "query":
            continue
        for path, text in check.queries:
            found = facts(text)
            if not isinstance(found, str) and found.functions & {"rate", "irate"}:
                message = f'the check "{check.name}" needs counts, and rate() gives requests a second'
                yield draft.say("RUN515", message, (*check.path, *path), hint="use increase()")


def several(draft: Draft) -> Iterator[Diagnostic]:
    """Several series against one bound are no evidence unless the playbook says what they become."""
    for check in _bounded(draft):
        if check.measure != "query" or "reduce" in check.body:
            continue
        for path, text in check.queries:
            found = facts(text)
            if not isinstance(found, str) and found.grouped_by:
                message = f"this query can answer with a series for each {', '.join(found.grouped_by)}"
                hint = "say what they become: reduce: max, or each"
                yield draft.warn("RUN516", message, (*check.path, *path), hint=hint)


def both_sides(draft: Draft) -> Iterator[Diagnostic]:
    """Istio's proxies count a request where it leaves and where it arrives, and `reporter` tells which.

    A quotient, a share and a quantile stay what they are; a sum with a bound, or a test of how many, does not.
    Source: istio.io, Istio Standard Metrics (Reporter).
    """
    for check in _bounded(draft):
        if check.measure == "ratio":
            continue
        for path, text in check.queries:
            found = facts(text)
            if not isinstance(found, str) and _counts_twice(found, compared=check.measure == "compare"):
                message = f'the check "{check.name}" counts a request twice where both sides have a proxy'
                hint = 'select one side: reporter="source", or "destination"'
                yield draft.warn("RUN520", message, (*check.path, *path), hint=hint)


def _counts_twice(found: "QueryFacts", *, compared: bool) -> bool:
    if "sum" not in found.functions or "reporter" in (found.grouped_by or ()):
        return False
    if not compared and (found.divides or "histogram_quantile" in found.functions):
        return False
    return any(
        (selector.metric or "").startswith("istio_")
        and (selector.metric or "").endswith(("_total", "_count", "_sum"))
        and not any(matcher.name == "reporter" for matcher in selector.matchers)
        for selector in found.selectors
    )


def split_labels(draft: Draft) -> Iterator[Diagnostic]:
    """The label that tells versions apart must be in the answer."""
    for check in draft.written:
        split, query = check.body.get("split"), check.body.get("query")
        if not check.sound or not isinstance(split, dict) or not isinstance(query, str):
            continue
        found, by = facts(query), split.get("by")
        grouped = None if isinstance(found, str) else found.grouped_by
        if grouped is not None and by not in grouped:
            message = f'the query of the check "{check.name}" does not keep the label "{by}"'
            yield draft.say("RUN517", message, (*check.path, "split", "by"), hint=f"sum(...) by ({by})")


def sees_canary(draft: Draft) -> Iterator[Diagnostic]:
    """A query over all versions hardly notices a canary that has a small share."""
    if not draft.routes or not all(route.sound for route in draft.routes.values()):
        return
    for check in _bounded(draft):
        if check.measure is None or looks_at_canary(draft, check):
            continue
        canaries = ", ".join(sorted({str(route.body["canary"]) for route in draft.routes.values()}))
        path = next((path for path, _ in check.queries), ())
        message = f'the check "{check.name}" does not select the canary ({canaries})'
        first = next(iter(draft.routes.values())).body["canary"]
        hint = f'select its version, for example destination_canonical_revision="{first}"'
        yield draft.warn("RUN518", message, (*check.path, *path), hint=hint)


def looks_at_canary(draft: Draft, check: CheckDraft) -> bool:
    """Whether a query of *check* selects, or tells apart, the canary of some route."""
    return any(
        _selects(draft, (*check.path, *path), text, route.body)
        for path, text in check.queries
        if path[:2] != ("compare", "stable")
        for route in draft.routes.values()
    )


def _selects(draft: Draft, path: Path, text: str, route: Mapping[str, Any]) -> bool:
    found = facts(text)
    if isinstance(found, str):
        return True
    canary = str(route.get("canary", ""))
    labels = route.get("labels")
    wanted = {canary, str(labels.get(canary, canary))} if isinstance(labels, dict) else {canary}
    values = [matcher.value for selector in found.selectors for matcher in selector.matchers]
    if any(word and word in value for word in wanted for value in values):
        return True
    return bool(_origins(draft, path) & _origins(draft, ("routes", _name_of(draft, route), "canary")))


def _name_of(draft: Draft, body: Mapping[str, Any]) -> str:
    return next(route.name for route in draft.routes.values() if route.body is body)


def _origins(draft: Draft, path: Path) -> frozenset[str]:
    """The variables that the text at *path* was made from, through those above them."""
    found: set[str] = set()
    declared = draft.document.tree.get("vars")
    left = list(_named(at(draft.document.tree, path)))
    while left:
        name = left.pop()
        if isinstance(declared, dict) and name in declared and name not in found:
            found.add(name)
            left += _named(declared[name])
    return frozenset(found)


def _named(said: Any) -> frozenset[str]:
    text = said.get("default") if isinstance(said, dict) else said
    return names(text) if isinstance(text, str) else frozenset()


def _advice(problem: str) -> str | None:
    if "matrix" in problem or "range vector" in problem:
        return "give the function a window, for example rate(requests_total[1m])"
    return None


def _bounded(draft: Draft) -> Iterator[CheckDraft]:
    """Sound checks that are no comparison of a split."""
    yield from (check for check in draft.written if check.sound and "split" not in check.body)


def _queries(draft: Draft) -> Iterator[tuple[Path, str]]:
    for check in draft.written:
        for path, text in check.queries:
            if draft.sound((*check.path, *path)):
                yield (*check.path, *path), text


RULES: Final = (
    parses,
    evaluable,
    windows,
    snapshots,
    comparisons,
    counts,
    several,
    both_sides,
    split_labels,
    sees_canary,
)
