"""docs/reference/promql.md says what the code does."""

import re
from pathlib import Path

from runner.promql import Limits, blame, budget, catalogue, openmetrics, spans, tokens
from runner.promql.matching import ARITHMETIC, COMPARE
from runner.promql.tree import SET_OPERATORS, Extension

PAGE = (Path(__file__).parents[2] / "docs/reference/promql.md").read_text()


def paragraph(start: str, end: str = "\n\n", *, skip: int = 1) -> set[str]:
    """The code words between *start* and the *skip*-th *end* after it."""
    begin = PAGE.index(start) + len(start)
    stop = begin
    for _ in range(skip):
        stop = PAGE.index(end, stop) + len(end)
    return set(re.findall(r"`([^`]+)`", PAGE[begin:stop]))


def test_every_function_is_listed():
    assert paragraph("subqueries alike:", skip=2) == catalogue.SUPPORTED


def test_every_refused_name_is_listed_with_its_reason():
    experimental = paragraph("calls them experimental:", skip=2)
    native = paragraph("evaluator does not have:", skip=2)
    renamed = paragraph("another name:")

    assert experimental | native | renamed == set(catalogue.REFUSED)
    assert {catalogue.REFUSED[name] for name in experimental} == {"it is experimental in Prometheus"}
    assert all("native histograms" in catalogue.REFUSED[name] for name in native)


def test_every_aggregation_operator_and_modifier_is_listed():
    aggregations = paragraph("Aggregations, each with `by` and `without`:", "\n- ")
    operators = paragraph("- Operators:", "\n- ")

    assert aggregations == catalogue.AGGREGATIONS
    assert operators == {*ARITHMETIC, *COMPARE, *SET_OPERATORS, "bool"}
    assert {*Extension} <= paragraph("- Selectors:")


def test_bounds_are_those_of_the_code():
    rows = [int(row.replace(",", "")) for row in re.findall(r"^\|.*\| ([\d,]+) \|$", PAGE, re.MULTILINE)]
    limits = Limits()

    assert rows == [
        budget.MAX_STEPS,
        limits.series,
        limits.samples,
        limits.work,
        tokens.MAX_LENGTH,
        tokens.MAX_NESTING,
        tokens.MAX_OPERATORS,
        openmetrics.MAX_SAMPLES,
        openmetrics.MAX_SERIES,
        openmetrics.MAX_LINE,
    ]
    assert limits.steps == budget.MAX_STEPS


def test_rules_are_those_of_the_code():
    assert spans.LOOKBACK == 5 * 60_000
    assert spans.SUBQUERY_STEP == 60_000
    assert {"+", "*"} <= blame.COMPUTING
