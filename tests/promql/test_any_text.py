"""Whatever is written, the evaluator answers or says why not; it never breaks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.promql import MemoryStorage, PromQLError, QuerySyntaxError, evaluate, inspect, to_api
from runner.promql.shorten import shorten

WORDS = st.sampled_from(
    [
        "a",
        'b{x="1"}',
        '{x=~"a.*"}',
        "[5m]",
        "[5m:1m]",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ",",
        "+",
        "-",
        "*",
        "/",
        "^",
        "==",
        ">",
        "bool",
        "and",
        "or",
        "unless",
        "on",
        "ignoring",
        "(x)",
        "group_left",
        "by",
        "without",
        "offset",
        "-5m",
        "@",
        "start()",
        "end()",
        "1",
        "0x1f",
        "1_0",
        "Inf",
        "NaN",
        "5m",
        "sum",
        "rate",
        "topk",
        "label_replace",
        "absent",
        "time()",
        "histogram_quantile",
        '"s"',
        "`r`",
        "anchored",
        "smoothed",
        "#",
        ":",
        ";",
        "é",
        "$",
        "\\",
        '"',
        "0.0001",
        "1e300",
        "count_values",
        "quantile_over_time",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join) | st.text(max_size=30)


def world() -> MemoryStorage:
    made = MemoryStorage()
    for name, label in (("a", "1"), ("a", "2"), ("b", "1")):
        for tick in range(20):
            made.append({"__name__": name, "x": label}, tick * 15_000, float(tick % 7))
    return made


WORLD = world()


@settings(deadline=None)
@given(TEXTS)
def test_any_text_is_answered_or_explained(text):
    try:
        body = to_api(evaluate(text, WORLD, 300))
    except PromQLError as error:
        body = to_api(error)

    assert body["status"] == ("error" if "error" in body else "success")


@settings(deadline=None)
@given(TEXTS)
def test_a_syntax_error_lies_in_the_text(text):
    try:
        inspect(text)
    except QuerySyntaxError as error:
        assert 0 <= error.offset <= len(text)
    except PromQLError:
        pass


@settings(deadline=None)
@given(TEXTS, st.floats(1, 1000))
def test_a_shortened_query_reads_nothing_older(text, longest):
    try:
        facts = inspect(text)
        shortened = inspect(shorten(text, longest))
    except PromQLError:
        return

    assert len(shortened.windows) == len(facts.windows)
    assert all(window <= longest + 0.001 for window in shortened.windows)
