"""From text to tree: promql-parser reads, this module translates and refuses by name."""

import re
from datetime import timedelta
from functools import lru_cache

import promql_parser as parser

from runner.promql import native
from runner.promql.catalogue import AGGREGATIONS, REFUSED, SCALAR_FUNCTIONS, SUPPORTED
from runner.promql.errors import EvaluationError, QuerySyntaxError, RefusedError
from runner.promql.labels import NAME, Matcher, MatchOperator
from runner.promql.stand_ins import EXTENSION, Reading
from runner.promql.tokens import scan
from runner.promql.tree import (
    Aggregation,
    Binary,
    Call,
    Cardinality,
    Edge,
    Extension,
    Kind,
    Matching,
    Negation,
    Node,
    Number,
    Range,
    Selector,
    String,
    Subquery,
    kind_of,
)

MAX_DEPTH = 150
_UNKNOWN_FUNCTION = re.compile(r"unknown function with name '(\w+)'")
REMEMBERED = 1024

_OPERATORS = (
    (parser.MatchOp.Equal, MatchOperator.EQUAL),
    (parser.MatchOp.NotEqual, MatchOperator.NOT_EQUAL),
    (parser.MatchOp.Re, MatchOperator.REGEX),
    (parser.MatchOp.NotRe, MatchOperator.NOT_REGEX),
)


@lru_cache(maxsize=REMEMBERED)
def parse(text: str) -> Node:
    """The tree of *text*. QuerySyntaxError where it is no PromQL, RefusedError for what is not supported."""
    tree, refused = read(text)
    if refused:
        raise refused[0]
    return tree


@lru_cache(maxsize=REMEMBERED)
def read(text: str) -> tuple[Node, tuple[RefusedError, ...]]:
    """The tree of *text*, and what in it is not supported. QuerySyntaxError where it is no PromQL."""
    reading = Reading(text, scan(text))
    expression = _parsed(reading)
    translation = _Translation(reading)
    tree = translation.node(expression, 0)
    return tree, tuple(translation.refused)


def _parsed(reading: Reading) -> parser.Expr:
    try:
        if reading.signed_text != reading.safe_text:
            native.parse(reading.signed_text)
        return native.parse(reading.parsed_text)
    except ValueError as error:
        raise _explained(reading, str(error)) from error


def _explained(reading: Reading, message: str) -> QuerySyntaxError | RefusedError:
    unknown = _UNKNOWN_FUNCTION.search(message)
    if unknown is not None and unknown[1] in REFUSED:
        return RefusedError(f"{unknown[1]}() is refused: {REFUSED[unknown[1]]}", feature=unknown[1])
    from runner.promql import blame

    offset = blame.offset(reading.safe_text, reading.tokens, message)
    if blame.is_in_duration(reading.tokens, offset):
        refusal = "arithmetic in ranges, steps and offsets is refused: the parser does not read it"
        return RefusedError(refusal, feature="duration expression", hint="write the duration")
    return QuerySyntaxError(blame.words(reading.tokens, message, offset), offset=offset)


class _Translation:
    """One walk over a parsed expression, in the order of the text: times and patterns are taken from it."""

    def __init__(self, reading: Reading) -> None:
        self._times = iter(reading.times)
        self._offsets = iter(reading.offsets)
        self._patterns = iter(reading.patterns)
        self.refused: list[RefusedError] = []

    def node(self, expression: parser.Expr, depth: int) -> Node:  # noqa: C901, PLR0911 - one case per kind
        """The node of *expression*."""
        if depth > MAX_DEPTH:
            raise RefusedError(f"the expression nests more than {MAX_DEPTH} deep", feature="nesting")
        depth += 1
        match expression:
            case parser.ParenExpr():
                return self.node(expression.expr, depth)
            case parser.NumberLiteral():
                return Number(expression.val)
            case parser.StringLiteral():
                return String(expression.val)
            case parser.VectorSelector():
                return self._selector(expression)
            case parser.MatrixSelector():
                return Range(self._selector(expression.vector_selector), _positive(expression.range))
            case parser.SubqueryExpr():
                return self._subquery(expression, depth)
            case parser.Call():
                return self._call(expression, depth)
            case parser.AggregateExpr():
                return self._aggregation(expression, depth)
            case parser.UnaryExpr():
                return _negated(self.node(expression.expr, depth))
            case parser.BinaryExpr():
                return self._binary(expression, depth)
            case _:
                raise RefusedError(
                    f"{type(expression).__name__} is not supported", feature=type(expression).__name__
                )

    def _selector(self, selector: parser.VectorSelector) -> Selector:
        if selector.matchers.or_matchers:
            refusal = RefusedError('"or" between label matchers is no PromQL', feature="or between matchers")
            self.refused.append(refusal)
        name = (Matcher(NAME, MatchOperator.EQUAL, selector.name),) if selector.name else ()
        written = [matcher for matcher in selector.matchers.matchers if matcher.name != EXTENSION]
        extensions = [matcher.value for matcher in selector.matchers.matchers if matcher.name == EXTENSION]
        matchers = (*name, *(self._matcher(matcher) for matcher in written))
        if not self.refused and all(matcher.matches("") for matcher in matchers):
            raise QuerySyntaxError("vector selector must contain at least one non-empty matcher", offset=0)
        extension = Extension(extensions[0]) if extensions else None
        return Selector(matchers, self._offset(selector), self._at(selector), extension)

    def _matcher(self, matcher: parser.Matcher) -> Matcher:
        operator = next(ours for theirs, ours in _OPERATORS if theirs == matcher.op)
        if operator in (MatchOperator.EQUAL, MatchOperator.NOT_EQUAL):
            return Matcher(matcher.name, operator, matcher.value)
        pattern = next(self._patterns)
        try:
            return Matcher(matcher.name, operator, pattern.value)
        except EvaluationError as error:
            raise QuerySyntaxError(error.message, offset=pattern.offset) from error

    def _subquery(self, subquery: parser.SubqueryExpr, depth: int) -> Subquery:
        inner = self.node(subquery.expr, depth)
        step = None if subquery.step is None else _positive(subquery.step)
        return Subquery(inner, _positive(subquery.range), step, self._offset(subquery), self._at(subquery))

    def _offset(self, expression: parser.VectorSelector | parser.SubqueryExpr) -> int:
        found = 0 if expression.offset is None else next(self._offsets, None)
        if found is None:
            raise RefusedError(
                "a metric named like a keyword has an offset: quote its name", feature="offset"
            )
        return found

    def _at(self, expression: parser.VectorSelector | parser.SubqueryExpr) -> int | Edge | None:
        if expression.at is None:
            return None
        match expression.at.type:
            case parser.AtModifierType.Start:
                return Edge.START
            case parser.AtModifierType.End:
                return Edge.END
            case _:
                return next(self._times)

    def _call(self, call: parser.Call, depth: int) -> Call:
        name = call.func.name
        if name not in SUPPORTED:
            reason = REFUSED.get(name, "it is not supported")
            self.refused.append(RefusedError(f"{name}() is refused: {reason}", feature=name))
        kind = Kind.SCALAR if name in SCALAR_FUNCTIONS else Kind.VECTOR
        return Call(name, tuple(self.node(argument, depth) for argument in call.args), kind)

    def _aggregation(self, aggregate: parser.AggregateExpr, depth: int) -> Aggregation:
        operator = str(aggregate.op)
        if operator not in AGGREGATIONS:
            reason = REFUSED.get(operator, "it is not supported")
            self.refused.append(RefusedError(f"{operator} is refused: {reason}", feature=operator))
        parameter = None if aggregate.param is None else self.node(aggregate.param, depth)
        expression = self.node(aggregate.expr, depth)
        modifier = aggregate.modifier
        labels = tuple(sorted(set(modifier.labels))) if modifier is not None else ()
        without = modifier is not None and modifier.type == parser.AggModifierType.Without
        return Aggregation(operator, expression, parameter, labels, without)

    def _binary(self, binary: parser.BinaryExpr, depth: int) -> Binary:
        left = self.node(binary.lhs, depth)
        right = self.node(binary.rhs, depth)
        modifier = binary.modifier
        if modifier is not None and (modifier.fill_values.lhs, modifier.fill_values.rhs) != (None, None):
            self.refused.append(
                RefusedError("fill is refused: it is experimental in Prometheus", feature="fill")
            )
        returns_bool = modifier is not None and modifier.return_bool
        is_scalar = kind_of(left) is Kind.SCALAR and kind_of(right) is Kind.SCALAR
        kind = Kind.SCALAR if is_scalar else Kind.VECTOR
        return Binary(str(binary.op), left, right, returns_bool, _matching(modifier), kind)


def _negated(node: Node) -> Node:
    return Number(-node.value) if isinstance(node, Number) else Negation(node, kind_of(node))


def _matching(modifier: parser.BinModifier | None) -> Matching:
    if modifier is None:
        return Matching()
    matching = modifier.matching
    return Matching(
        _cardinality(modifier.card),
        on=matching is not None and matching.type == parser.LabelModifierType.Include,
        labels=tuple(sorted(set(matching.labels))) if matching is not None else (),
        include=tuple(modifier.group_labels or ()),
    )


def _cardinality(cardinality: parser.VectorMatchCardinality) -> Cardinality:
    if cardinality == parser.VectorMatchCardinality.ManyToOne:
        return Cardinality.MANY_TO_ONE
    if cardinality == parser.VectorMatchCardinality.OneToMany:
        return Cardinality.ONE_TO_MANY
    return Cardinality.ONE_TO_ONE


def _positive(duration: timedelta | None) -> int:
    milliseconds = 0 if duration is None else duration // timedelta(milliseconds=1)
    if milliseconds <= 0:
        raise QuerySyntaxError("a range or step must be at least a millisecond", offset=0)
    return milliseconds
