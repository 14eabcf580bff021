"""`runner query`: the HTTP API's JSON on stdout, words on stderr."""

import json

import pytest

from runner.cli.entry import run

DUMP = 'a_total{x="1"} 5 1000.5\na_total{x="1"} 7 1030.5\n'


@pytest.fixture
def dump(tmp_path):
    path = tmp_path / "dump.om"
    path.write_text(DUMP)
    return str(path)


def asked(capsys, *arguments: str) -> tuple[int, dict, str]:
    code = run(["query", *arguments])
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if printed.out else {}, printed.err


def test_one_moment(capsys, dump):
    code, body, _ = asked(capsys, "increase(a_total[1m])", "--openmetrics", dump, "--at", "1040.5")

    assert code == 0
    assert body == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {"x": "1"}, "value": [1040.5, "4"]}]},
    }


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:17:20Z", "1970-01-01t01:17:20.000+01:00", "1040", "1.04e3", "1040.0"]
)
def test_times_as_people_write_them(capsys, dump, at):
    _, body, _ = asked(capsys, "time()", "--openmetrics", dump, "--at", at)

    assert body["data"] == {"resultType": "scalar", "result": [1040, "1040"]}


@pytest.mark.parametrize("step", ["20", "20s", "20000ms"])
def test_a_range(capsys, dump, step):
    _, body, _ = asked(
        capsys, "a_total", "--openmetrics", dump, "--start", "1000", "--end", "1040", "--step", step
    )

    assert body["data"]["resultType"] == "matrix"
    assert body["data"]["result"][0]["values"] == [[1020, "5"], [1040, "7"]]


def test_an_expression_that_begins_with_a_minus_follows_two(capsys, dump):
    _, body, _ = asked(capsys, "--openmetrics", dump, "--at", "1040", "--", "-a_total")

    assert body["data"]["result"][0]["value"] == [1040, "-7"]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("sum(", "bad_data"), ("limitk(1, a)", "bad_data"), ("a + on() group_left() b + ", "bad_data"), ("topk(NaN, a_total)", "execution")],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_exit_1_and_the_apis_error(capsys, dump, expression, kind):
    code, body, said = asked(capsys, expression, "--openmetrics", dump, "--at", "1040")

    assert code == 1
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert body["error"] in said


def test_a_syntax_error_has_a_caret(capsys, dump):
    _, _, said = asked(capsys, "sum(a) y", "--openmetrics", dump, "--at", "1040")

    assert said.endswith("  sum(a) y\n         ^\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--at", "1", "--start", "1"),
        ("--start", "1", "--end", "2"),
        ("--at", "soon"),
        ("--at", "2026-13-01T00:00:00Z"),
        ("--at", "2026-01-01"),
        ("--at", "1e400"),
        ("--start", "1", "--end", "2", "--step", "often"),
        ("--start", "1", "--end", "2", "--step", "a[5m]"),
    ],
)
def test_wrong_usage_is_exit_2(capsys, dump, arguments):
    assert run(["query", "1", "--openmetrics", dump, *arguments]) == 2
    assert capsys.readouterr().out == ""


def test_a_dump_that_cannot_be_read_is_told(capsys, tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x1f\x8b\x08\xff\xfe")

    code, body, said = asked(capsys, "1", "--openmetrics", str(binary), "--at", "1")
    assert (code, body["errorType"]) == (1, "bad_data")
    assert "line 1: not UTF-8" in said

    code, body, said = asked(capsys, "1", "--openmetrics", str(tmp_path / "none"), "--at", "1")
    assert (code, body) == (1, {})
    assert "none: No such file" in said


def test_nothing_but_the_dump_is_opened(capsys, dump, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("query opened a socket")

    monkeypatch.setattr("socket.socket", refuse)

    assert asked(capsys, "a_total", "--openmetrics", dump, "--at", "1040")[0] == 0
