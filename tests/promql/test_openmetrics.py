"""Dumps as people have them are read; what cannot be read is told with its line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.promql import DumpError, MemoryStorage, evaluate, parse_openmetrics, to_api


def values(storage: MemoryStorage, expression: str, at: float) -> list[str]:
    return [one["value"][1] for one in to_api(evaluate(expression, storage, at))["data"]["result"]]


def test_types_are_not_needed_and_names_stay():
    storage = parse_openmetrics("http_total 1 10\nhttp 2 10\nhttp_created 3 10\n")

    assert values(storage, '{__name__=~"http.*"}', 10) == ["2", "3", "1"]


def test_families_interleave_and_samples_come_in_any_order():
    storage = parse_openmetrics('a{x="1"} 3 30\nb 5 10\na{x="1"} 1 10\na{ x = "1" , } 2 20\n')

    assert values(storage, "a", 15) == ["1"]
    assert values(storage, "a", 25) == ["2"]
    assert values(storage, "a", 35) == ["3"]


def test_comments_exemplars_and_the_end():
    storage = parse_openmetrics(
        '# HELP a text\n# TYPE a counter\n\na_total 1 10.5 # {trace="x"} 1 9\n# EOF\nnot read any more'
    )

    assert values(storage, "a_total", 10.5) == ["1"]


def test_special_values_and_quoted_names():
    storage = parse_openmetrics('a +Inf 1\nb NaN 1\n{"c.d", "e f"="g\\n\\"\\\\"} -1e3 1\n')

    assert values(storage, "a", 1) == ["+Inf"]
    assert values(storage, "b", 1) == ["NaN"]
    assert values(storage, '{"c.d", "e f"="g\\n\\"\\\\"}', 1) == ["-1000"]


WRONG = {
    "a 1": "line 1: the sample has no timestamp",
    "a 1 1\nb": 'line 2: "b" is no sample',
    "a{x=1} 1 1": 'line 1: "x=1" is no label',
    'a{x="1" y="2"} 1 1': "is no label",
    'a{x="1",x="2"} 1 1': 'label "x" is there twice',
    '{x="1"} 1 1': "a sample has no metric name",
    "a one 1": 'value "one" is no number',
    "a 1_0 1": 'value "1_0" is no number',
    "a 1 soon": 'timestamp "soon" is no Unix time',
    "a 1 1e300": 'timestamp "1e300" is no Unix time',
    "a 1 NaN": 'timestamp "NaN" is no Unix time',
    "a 1 5\na 2 5": "line 2: a second, different sample",
    "a" * 70_000: "line 1: the line has more than 65,536 characters",
}


@pytest.mark.parametrize(("dump", "words"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_line_is_told(dump, words):
    with pytest.raises(DumpError) as caught:
        parse_openmetrics(dump)

    assert words in caught.value.message


def test_the_same_sample_twice_is_one():
    assert values(parse_openmetrics("a 1 5\na 1 5\nb NaN 5\nb NaN 5"), "a", 5) == ["1"]


def test_series_and_samples_are_bounded(monkeypatch):
    monkeypatch.setattr("runner.promql.openmetrics.MAX_SERIES", 3)
    monkeypatch.setattr("runner.promql.openmetrics.MAX_SAMPLES", 5)

    with pytest.raises(DumpError, match="line 4: more than 3 series"):
        parse_openmetrics("\n".join(f"a{n} 1 1" for n in range(9)))
    with pytest.raises(DumpError, match="line 6: more than 5 samples"):
        parse_openmetrics("\n".join(f"a 1 {n}" for n in range(9)))


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from('a{}="\\ ,#\n\t1.eE+-NIninf_\x00é'), max_size=60))
def test_any_text_is_read_or_told(text):
    try:
        parse_openmetrics(text)
    except DumpError as error:
        assert error.line >= 1
