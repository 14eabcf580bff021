"""A query as a tree of frozen nodes; what is in it can be evaluated. Times and durations are milliseconds."""

from enum import StrEnum
from typing import NamedTuple

from runner.promql.labels import Matcher


class Kind(StrEnum):
    """What an expression evaluates to; the words of Prometheus' own messages."""

    SCALAR = "scalar"
    VECTOR = "instant vector"
    MATRIX = "range vector"
    TEXT = "string"


class Edge(StrEnum):
    """`@ start()` and `@ end()`: the first or last moment of the query."""

    START = "start"
    END = "end"


class Number(NamedTuple):
    """A number literal, a duration in seconds among them."""

    value: float


class String(NamedTuple):
    """A string literal."""

    value: str


class Extension(StrEnum):
    """`anchored` and `smoothed`: a range that also reads a lookback around it."""

    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


class Selector(NamedTuple):
    """`name{...} offset O @ T`; the metric name is a matcher like any other."""

    matchers: tuple[Matcher, ...]
    offset: int = 0
    at: int | Edge | None = None
    extension: Extension | None = None


class Range(NamedTuple):
    """`selector[range]`."""

    selector: Selector
    duration: int


class Subquery(NamedTuple):
    """`expression[range:step] offset O @ T`; without a step Prometheus' evaluation interval is taken."""

    expression: "Node"
    duration: int
    step: int | None
    offset: int = 0
    at: int | Edge | None = None


class Call(NamedTuple):
    """A function and its arguments."""

    function: str
    arguments: tuple["Node", ...]
    kind: Kind


class Aggregation(NamedTuple):
    """`operator by|without (labels) (parameter, expression)`; *labels* are sorted."""

    operator: str
    expression: "Node"
    parameter: "Node | None"
    labels: tuple[str, ...]
    without: bool


class Negation(NamedTuple):
    """Unary minus, of a scalar or a vector."""

    expression: "Node"
    kind: Kind


class Cardinality(StrEnum):
    """How many series of each side may share one match group."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"


class Matching(NamedTuple):
    """How the two sides of a binary operator find each other; *labels* and *include* as written."""

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


class Binary(NamedTuple):
    """`left operator right`; *returns_bool* for the `bool` modifier of a comparison."""

    operator: str
    left: "Node"
    right: "Node"
    returns_bool: bool
    matching: Matching
    kind: Kind


Node = Number | String | Selector | Range | Subquery | Call | Aggregation | Negation | Binary

SET_OPERATORS = frozenset({"and", "or", "unless"})
COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})


def kind_of(node: Node) -> Kind:
    """What *node* evaluates to."""
    match node:
        case Number():
            return Kind.SCALAR
        case String():
            return Kind.TEXT
        case Selector() | Aggregation():
            return Kind.VECTOR
        case Range() | Subquery():
            return Kind.MATRIX
        case Call(kind=kind) | Negation(kind=kind) | Binary(kind=kind):
            return kind


def children(node: Node) -> tuple[Node, ...]:
    """The expressions right below *node*, in the order they are written."""
    match node:
        case Range(selector=selector):
            return (selector,)
        case Subquery(expression=expression) | Negation(expression=expression):
            return (expression,)
        case Call(arguments=arguments):
            return arguments
        case Aggregation(expression=expression, parameter=parameter):
            return (expression,) if parameter is None else (parameter, expression)
        case Binary(left=left, right=right):
            return (left, right)
        case Number() | String() | Selector():
            return ()
