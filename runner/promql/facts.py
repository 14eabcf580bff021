"""What can be said about a query without data."""

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from runner.promql.errors import PromQLError, RefusedError
from runner.promql.labels import NAME, Matcher, MatchOperator
from runner.promql.spans import milliseconds, spans
from runner.promql.storage import Storage, is_stale
from runner.promql.syntax import parse, read
from runner.promql.tree import (
    COMPARISONS,
    Aggregation,
    Binary,
    Call,
    Kind,
    Node,
    Range,
    Selector,
    Subquery,
    children,
    kind_of,
)


@dataclass(frozen=True, slots=True)
class SelectorFacts:
    """One selector: *window* is its range in seconds, None for an instant selector.

    *text* is the selector in PromQL, without range, offset and `@`. *reach* counts the seconds from the
    evaluation back to the oldest sample that it may read, through offsets and subqueries, an instant
    selector's lookback left out; None where `@` ties it to a moment of its own.
    """

    metric: str | None
    matchers: tuple[Matcher, ...]
    window: float | None
    reach: float | None
    text: str


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """What a query is and reads; durations in seconds.

    *filters* says that the top is a comparison without `bool`, so that series which fail it vanish from the
    answer; *divides* that something in it is a quotient. *grouped_by* are the labels of an outermost `by`, None
    where the outermost is no such aggregation. *refused* names what the evaluator will not answer.
    """

    kind: Kind
    selectors: tuple[SelectorFacts, ...]
    functions: frozenset[str]
    filters: bool
    divides: bool
    grouped_by: tuple[str, ...] | None
    refused: tuple[RefusedError, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics read, each once, in the order of the text; selectors by pattern have none."""
        return tuple(dict.fromkeys(s.metric for s in self.selectors if s.metric is not None))

    @property
    def windows(self) -> tuple[float, ...]:
        """The ranges of the selectors, in the order of the text."""
        return tuple(s.window for s in self.selectors if s.window is not None)

    @property
    def shortest_window(self) -> float | None:
        return min(self.windows, default=None)

    @property
    def longest_window(self) -> float | None:
        return max(self.windows, default=None)

    @property
    def reach(self) -> float | None:
        """How far back the query looks; None where a selector is tied to a moment by `@`."""
        reaches = [s.reach for s in self.selectors]
        return (
            None if None in reaches else max((reach for reach in reaches if reach is not None), default=0.0)
        )

    @property
    def uses_irate(self) -> bool:
        """Whether only the last two samples of a window count somewhere."""
        return not self.functions.isdisjoint({"irate", "idelta"})


def inspect(expression: str) -> QueryFacts:
    """The facts of *expression*. QuerySyntaxError, with the offset in the text, where it is no PromQL."""
    tree, refused = read(expression)
    return QueryFacts(
        kind=kind_of(tree),
        selectors=tuple(_selectors(tree, 0.0)),
        functions=frozenset(_functions(tree)),
        filters=isinstance(tree, Binary) and tree.operator in COMPARISONS and not tree.returns_bool,
        divides=_divides(tree),
        grouped_by=tree.labels if isinstance(tree, Aggregation) and not tree.without else None,
        refused=refused,
    )


def unknown_metrics(texts: Iterable[str], known: Container[str]) -> tuple[str, ...]:
    """The metrics that queries read and *known* does not have, each once; what is no query reads none."""
    names: list[str] = []
    for text in texts:
        with suppress(PromQLError):
            names += inspect(text).metrics
    return tuple(dict.fromkeys(name for name in names if name not in known))


def newest_sample(expression: str, storage: Storage, at: float) -> float | None:
    """Unix seconds of the newest sample in *storage* that *expression* could read at *at*, if any."""
    moment = milliseconds(at)
    newest = None
    for span in spans(parse(expression), moment, moment):
        for series in storage.select(span.selector.matchers, span.start, span.end):
            for index in range(len(series.timestamps) - 1, -1, -1):
                if series.timestamps[index] <= span.end and not is_stale(series.values[index]):
                    read_at = series.timestamps[index]
                    if read_at > span.start and (newest is None or read_at > newest):
                        newest = read_at
                    break
    return None if newest is None else newest / 1000


def _functions(node: Node) -> Iterator[str]:
    if isinstance(node, Call):
        yield node.function
    if isinstance(node, Aggregation):
        yield node.operator
    for child in children(node):
        yield from _functions(child)


def _divides(node: Node) -> bool:
    quotient = isinstance(node, Binary) and node.operator == "/"
    return quotient or any(_divides(child) for child in children(node))


def _selectors(node: Node, back: float | None) -> Iterator[SelectorFacts]:
    match node:
        case Selector():
            yield _facts(node, None, back)
        case Range(selector=selector, duration=duration):
            yield _facts(selector, duration / 1000, back)
        case Subquery(expression=expression, duration=duration, offset=offset, at=at):
            tied = back is None or at is not None
            yield from _selectors(expression, None if tied else (back or 0.0) + (duration + offset) / 1000)
        case _:
            for child in children(node):
                yield from _selectors(child, back)


def _facts(selector: Selector, window: float | None, back: float | None) -> SelectorFacts:
    name = next(
        (m.value for m in selector.matchers if m.name == NAME and m.operator is MatchOperator.EQUAL), None
    )
    reach = (
        None if back is None or selector.at is not None else back + (window or 0.0) + selector.offset / 1000
    )
    return SelectorFacts(name, selector.matchers, window, reach, _text(name, selector.matchers))


def _text(name: str | None, matchers: tuple[Matcher, ...]) -> str:
    plain = name is not None and name.isascii() and name.replace(":", "_").isidentifier()
    rest = ", ".join(str(m) for m in matchers if not (plain and m.name == NAME and m.value == name))
    return f"{name if plain else ''}{{{rest}}}" if rest or not plain else str(name)
