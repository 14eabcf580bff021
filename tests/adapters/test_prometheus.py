"""Whatever a Prometheus answers, the Metrics port says what it was, and never raises."""

from datetime import UTC, datetime
from email.utils import format_datetime
from math import inf, isnan
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.adapters.metrics_source import Direct
from runner.adapters.prometheus import Prometheus, newest_question
from runner.model.config import MetricsSource
from runner.model.evidence import Answer, NoAnswer, Sample
from tests.adapters.loopback import (
    Reply,
    Seen,
    at_most,
    dripping,
    dripping_headers,
    hang_up,
    html,
    page,
    refused_port,
    says,
    serving,
    silence,
    truncated,
)
from tests.adapters.prometheus import NOW, Noon, vector

EXPRESSION = 'sum(rate(istio_requests_total{destination_app="reviews"}[1m])) by (version)'


SERIES = 'timestamp(istio_requests_total{destination_app="reviews"})'


NEWEST = f"max(({SERIES} or max_over_time({SERIES}[60s:5s])))"


def of_type(kind: str, result: object) -> Reply:
    return says(200, {"status": "success", "data": {"resultType": kind, "result": result}})


def asked(reply: Reply, expression: str = "1") -> Answer | NoAnswer:
    with serving([reply]) as server:
        source = Direct(MetricsSource("p", server.url), deadline=reply.deadline)
        return Prometheus(source, Noon()).query(expression, NOW)


def query_of(seen: Seen) -> dict[str, str]:
    text = urlsplit(seen.target).query or seen.body.decode()
    return {key: values[0] for key, values in parse_qs(text).items()}


def test_every_series_comes_with_its_labels_and_its_time():
    answer = asked(vector(({"version": "v1"}, "4.25"), ({"version": "v3"}, "1e-3")))

    assert answer == Answer((Sample({"version": "v1"}, 4.25, NOW), Sample({"version": "v3"}, 0.001, NOW)))


@pytest.mark.parametrize(
    ("text", "value"), [("+Inf", inf), ("-Inf", -inf), ("Inf", inf), ("7", 7.0), (".5", 0.5)]
)
def test_values_are_kept_as_the_source_said_them(text, value):
    assert asked(vector(({}, text))).samples[0].value == value


def test_not_a_number_is_left_to_the_judge():
    assert isnan(asked(vector(({}, "NaN"))).samples[0].value)


def test_a_scalar_is_one_sample_without_labels():
    assert asked(of_type("scalar", [NOW, "2"])) == Answer((Sample({}, 2.0, NOW),))


def test_no_series_is_an_answer():
    assert asked(vector()) == Answer(())


def test_warnings_are_kept_and_infos_dropped():
    answer = asked(
        vector(
            ({}, "1"),
            warnings=["store gateway 2 did not answer", "PromQL info: metric might not be a counter"],
            infos=["metric might not be a counter"],
        )
    )

    assert answer.warnings == ("store gateway 2 did not answer",)


def test_a_cluster_of_victoriametrics_that_misses_a_part_is_a_warning():
    assert asked(vector(({}, "1"), isPartial=True)).warnings == ("the answer is partial",)
    assert asked(vector(({}, "1"), isPartial=False)).warnings == ()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_ANSWERS = {
    "an error": (says(422, {"status": "error", "errorType": "execution", "error": "too many samples"}), "execution: too many samples"),
    "a syntax error": (says(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}), "bad_data: parse error"),
    "an error that says 200": (says(200, {"status": "error", "errorType": "timeout", "error": "late"}), "timeout: late"),
    "a login page": (html(), "answered 200 with text/html"),
    "a bad gateway": (html(502), "answered 502 with text/html"),
    "an odd status": (says(206, {"status": "success", "data": {"resultType": "vector", "result": []}}), "answered 206"),
    "a redirect": (page(302, b"", Location="https://sso.example.com"), "redirects are not followed"),
    "half a page": (truncated(), "broke off"),
    "drops": (dripping(0.05), "before the deadline"),
    "drops of headers": (dripping_headers(0.05), "before the deadline"),
    "nothing": (silence(), "before the deadline"),
    "a closed connection": (hang_up(), "broke off"),
    "no JSON": (page(200, b"{"), "expected the JSON of a Prometheus"),
    "a JSON NaN": (page(200, b'{"status":"success","data":{"resultType":"scalar","result":[NaN,"1"]}}'), "expected the JSON"),
    "a list": (says(200, []), "expected the JSON"),
    "deep JSON": (page(200, b"[" * 50_000), "expected the JSON"),
    "no data": (says(200, {"status": "success"}), "without data"),
    "no result": (of_type("vector", None), "without a result"),
    "a matrix": (of_type("matrix", []), "drop the [range]"),
    "text": (of_type("string", [NOW, "x"]), "expected numbers"),
    "a number as a value": (of_type("vector", [{"metric": {}, "value": [NOW, 1]}]), "a sample that is none"),
    "a value in words": (of_type("vector", [{"metric": {}, "value": [NOW, "1_000"]}]), "a sample that is none"),
    "a hexadecimal value": (of_type("vector", [{"metric": {}, "value": [NOW, "0x1"]}]), "a sample that is none"),
    "a time without an end": (of_type("vector", [{"metric": {}, "value": [10**400, "1"]}]), "expected the JSON"),
    "a time beyond all numbers": (page(200, b'{"status":"success","data":{"resultType":"scalar","result":[1e999,"1"]}}'), "expected the JSON"),
    "a chunk of a negative length": (Reply([CHUNKED + b"-5\r\nabc"]), "broke off"),
    "a redirect to no address": (page(302, b"", Location="http://[x"), "broke off"),
    "a histogram": (of_type("vector", [{"metric": {}, "histogram": [NOW, {}]}]), "native histogram"),
    "odd warnings": (says(200, {"status": "success", "warnings": "x", "data": {"resultType": "vector", "result": []}}), "no list"),
    "too many series": (vector(*[({"i": str(i)}, "1") for i in range(101)]), "101 series, more than 100"),
    "too many bytes": (vector(*[({"i": "x" * 1000}, "1") for _ in range(70)]), "larger than 64 KiB"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_says_why(reply, words):
    with at_most(40.0):
        answer = asked(reply)

    assert isinstance(answer, NoAnswer)
    assert words in answer.reason


def test_an_address_where_nobody_listens_is_no_answer():
    source = Direct(MetricsSource("p", f"http://127.0.0.1:{refused_port()}"))

    answer = Prometheus(source, Noon()).query("1", NOW)

    assert isinstance(answer, NoAnswer)
    assert "connection refused" in answer.reason


def test_a_hundred_series_are_few_enough():
    assert len(asked(vector(*[({"i": str(i)}, "1") for i in range(100)])).samples) == 100


def test_the_moment_is_asked_for_and_half_an_answer_is_not_wanted():
    with serving([vector()]) as server:
        Prometheus(Direct(MetricsSource("p", server.url + "/prom/")), Noon()).query("up", NOW + 0.25)

    assert server.seen[0].path == "/prom/api/v1/query"
    assert query_of(server.seen[0])["query"] == "up"
    assert query_of(server.seen[0])["time"] == "1800000000.250"
    assert query_of(server.seen[0])["partial_response"] == "false"


def test_a_long_query_travels_in_the_body():
    long = " + ".join(["up"] * 2000)

    with serving([vector()]) as server:
        Prometheus(Direct(MetricsSource("p", server.url)), Noon()).query(long, NOW)

    assert (server.seen[0].method, query_of(server.seen[0])["query"]) == ("POST", long)


def test_the_newest_raw_sample_is_asked_for_where_there_are_series():
    with serving([vector(({"version": "v1"}, "1")), vector(({}, str(NOW - 7)))]) as server:
        answer = Prometheus(Direct(MetricsSource("p", server.url)), Noon()).query(EXPRESSION, NOW)

    assert answer.newest == NOW - 7
    assert query_of(server.seen[1])["query"] == NEWEST


def test_an_answer_that_comes_from_no_sample_has_no_newest():
    with serving([vector(({}, "0")), vector()]) as server:
        answer = Prometheus(Direct(MetricsSource("p", server.url)), Noon()).query(
            "absent_one or vector(0)", NOW
        )

    assert answer == Answer((Sample({}, 0.0, NOW),))


def test_a_source_that_cannot_tell_the_newest_sample_still_answered():
    with serving([vector(({"version": "v1"}, "1")), html(502)]) as server:
        answer = Prometheus(Direct(MetricsSource("p", server.url)), Noon()).query(EXPRESSION, NOW)

    assert (len(answer.samples), answer.newest) == (1, None)


@pytest.mark.parametrize(
    ("expression", "question"),
    [
        ("1", None),
        ("this is no PromQL", None),
        ("up", "max(timestamp(up))"),
        ("rate(up[1m])", "max((timestamp(up) or max_over_time(timestamp(up)[60s:5s])))"),
        ("rate(up[2s]) / rate(up[2s])", "max((timestamp(up) or max_over_time(timestamp(up)[2s:1s])))"),
        ("up offset 1h", None),
        ("up - up offset 1h", "max(timestamp(up))"),
        ("max_over_time(up[5m:])", "max(timestamp(up))"),
        ("rate(up[1m] offset 1m)", None),
        (
            "a / b",
            'max(label_replace(timestamp(a), "part", "0", "", "") or label_replace(timestamp(b), "part", "1", "", ""))',
        ),
    ],
)
def test_the_question_for_the_newest_sample_follows_the_selectors(expression, question):
    assert newest_question(expression) == question


@pytest.mark.parametrize(
    "date", ["Mon, 01 Jan 2020 00:00:00 +99999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"]
)
def test_a_date_that_no_clock_shows_says_nothing_of_clocks(date):
    body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    assert asked(page(200, body, Date=date)) == Answer(())


@pytest.mark.parametrize(("apart", "words"), [(40, "40 s ahead of"), (-40, "40 s behind"), (20, None)])
def test_clocks_that_disagree_are_a_warning(apart, words):
    date = format_datetime(datetime.fromtimestamp(NOW + apart, UTC), usegmt=True)
    body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    answer = asked(page(200, body, Date=date))

    assert [words in warning for warning in answer.warnings] == ([True] if words else [])
